"""What starts and stops around the tests. Standard library only, so that it can say what is missing."""
