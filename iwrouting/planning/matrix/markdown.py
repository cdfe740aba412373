"""A matrix in Markdown: the owner's document as it stands, and what `matrix_export` writes in its form.

A line is known by its form wherever it stands; headings and bold labels say to which profile defaults belong. What
names a routing variable and has no known form is told as not read; what has a form and does not hold to it is refused.
docs/matrix.md lists the forms.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from iwrouting.planning.matrix import lines, tables
from iwrouting.planning.matrix.binding import bound, readers_named
from iwrouting.planning.matrix.mentions import MAX_LINE, names_variable
from iwrouting.planning.matrix.words import (
    MENTION,
    Form,
    MatrixFault,
    MatrixRefused,
    NotRead,
    Statement,
    Unreadable,
    What,
    Written,
    a_model,
    a_variable,
    an_alias,
    shown,
)

FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([A-Za-z]*).*")
COMMENT = re.compile(r"(?<!\\)<!--(?:.*?(-->)|.*)")
PYTHON = ("", "python", "py")
RUNTIME = "runtime"
NO_LABEL = -1
UNDER_HEADINGS = 7
"""The level of a bold line of its own: every heading ends it."""

NO_TABLES = "Tables of Markdown are not read: write a line such as - `OPENAI_MODEL_FAST` → `gpt-4.1-mini`."
NO_END = "The block of code that begins here has no end: expected a closing fence."


def read_markdown(text: str) -> Written:
    """What a document says. Raises MatrixRefused with every line that can't be read."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), start=1):
        reader.line(number, line.rstrip("\r"))
    return reader.done()


@dataclass(slots=True)
class _Block:
    """A block of code that is open."""

    first: int
    fence: str
    language: str
    code: list[str] = field(default_factory=list)


class _Reader:
    """Goes down the lines, and on after a fault."""

    def __init__(self) -> None:
        self.faults: list[MatrixFault] = []
        self.statements: list[Statement] = []
        self.not_read: list[NotRead] = []
        self._block: _Block | None = None
        self._comment = False
        self._titles: dict[int, str] = {}
        self._label, self._label_indent = "", NO_LABEL
        self._above: tuple[int, lines.Subject] | None = None

    def line(self, number: int, text: str) -> None:
        """Read the next line."""
        if self._block is not None:
            self._in_block(self._block, number, text)
            return
        text = self._visible(number, text).rstrip()
        if len(text) > MAX_LINE:
            self._mention(number, text)
        elif fence := FENCE.fullmatch(text):
            self._block = _Block(number, fence[1], fence[2].lower())
        elif heading := lines.HEADING.fullmatch(text):
            self._heading(len(heading[1]), heading[2])
            self._mention(number, text)
        else:
            self._content(number, text)

    def done(self) -> Written:
        """All that was said, each statement with its alias. Raises MatrixRefused."""
        if self._block is not None:
            self._fault(self._block.first, NO_END)
        said: list[Statement] = []
        readers = readers_named(self.statements)
        for statement in self.statements:
            with self._at(statement.line):
                said += bound(statement, readers)
        if self.faults:
            raise MatrixRefused(self.faults)
        return Written(Form.MARKDOWN, tuple(said), tuple(self.not_read))

    def _content(self, number: int, text: str) -> None:
        bullet = lines.BULLET.fullmatch(text)
        if bullet is not None:
            self._end_label(len(bullet[1]))
        content = bullet[2].strip() if bullet else text.strip()
        indent = len(bullet[1]) if bullet else len(text) - len(text.lstrip())
        with self._at(number):
            if label := lines.label_of(content):
                self._bold(label, indent if bullet else NO_LABEL)
            elif not self._said(number, indent, content):
                lines.refuse_bare(content)
                self._mention(number, text, always=self._is_meant(indent, content, bullet is not None))

    def _bold(self, label: str, indent: int) -> None:
        if indent == NO_LABEL:
            self._titles[UNDER_HEADINGS] = label
        self._label, self._label_indent = label, indent

    def _said(self, number: int, indent: int, content: str) -> bool:
        """Whether a line says something of the matrix; and note what."""
        if self._recommended(number, indent, content):
            return True
        subject = lines.subject_of(content)
        if subject is not None:
            return self._of_subject(number, indent, subject)
        if self._among_defaults() and (subject := lines.alias_said(content)):
            self._default(number, subject, lines.models_said(subject.rest) or (), self._profile())
            return True
        if served := lines.served_said(content):
            alias, project, models = served
            self._add(Statement(number, What.EFFECTIVE, alias, models, project=project))
        elif mapped := lines.mapped_said(content):
            self._add(Statement(number, What.VARIABLE, mapped[0], (mapped[1],), variable=mapped[1]))
        else:
            pairs, others = lines.pairs_said(content)
            for alias, model in pairs:
                self._add(Statement(number, What.DEFAULT, alias, (model,), RUNTIME))
            self.not_read += [NotRead(number, each) for each in others]
            return bool(pairs)
        return True

    def _is_meant(self, indent: int, content: str, is_bullet: bool) -> bool:
        """Whether a line that said nothing stands or looks as if it should have."""
        beneath = self._above is not None and indent > self._above[0] and "`" in content
        default = is_bullet and self._among_defaults() and "→" in content
        return beneath or default or lines.means_something(content)

    def _of_subject(self, number: int, indent: int, subject: lines.Subject) -> bool:
        models = lines.models_said(subject.rest)
        if models is None and not lines.is_declared(subject.rest):
            return False
        self._add(Statement(number, What.VARIABLE, subject.alias, (subject.variable,), variable=subject.variable))
        if models is None:
            self._above = indent, subject
        else:
            self._default(number, subject, models, self._profile())
        return True

    def _recommended(self, number: int, indent: int, content: str) -> bool:
        """A bullet under a variable that recommends its default."""
        found = lines.RECOMMENDED.fullmatch(content)
        if found is None or self._above is None or indent <= self._above[0]:
            return False
        self._default(number, self._above[1], lines.alternatives(found[1]), "")
        return True

    def _default(self, number: int, subject: lines.Subject, models: tuple[str, ...], profile: str) -> None:
        statement = Statement(number, What.DEFAULT, subject.alias, models, profile, variable=subject.variable)
        self._add(statement)

    def _profile(self) -> str:
        """The profile of a default here. Raises Unreadable under a label that is none."""
        if self._label_indent == NO_LABEL:
            profiles = (lines.profile_of(title) for _, title in sorted(self._titles.items(), reverse=True))
            return next((profile for profile in profiles if profile), "")
        if profile := lines.profile_of(self._label):
            return profile
        raise Unreadable(f"It stands under {shown(self._label)}, which is no profile: expected Runtime or Design.")

    def _among_defaults(self) -> bool:
        return any("default" in title.lower() for title in self._titles.values())

    def _heading(self, level: int, title: str) -> None:
        self._titles = {other: above for other, above in self._titles.items() if other < level}
        self._titles[level] = title
        self._label_indent, self._above = NO_LABEL, None

    def _end_label(self, indent: int) -> None:
        if indent <= self._label_indent:
            self._label_indent = NO_LABEL
        if self._above is not None and indent <= self._above[0]:
            self._above = None

    def _in_block(self, block: _Block, number: int, text: str) -> None:
        if not (text.strip().startswith(block.fence) and not text.strip().strip(block.fence[0])):
            block.code.append(text)
            return
        self._block = None
        if block.language in PYTHON:
            with self._at(block.first):
                self._code("\n".join(block.code), block.first + 1)
        else:
            self._mentions(block.code, block.first + 1)

    def _code(self, code: str, first: int) -> None:
        read = set()
        for entry in tables.table_entries(code, first):
            read.add(entry.line)
            with self._at(entry.line):
                self._entry(entry)
        for line, variable, model in tables.getenv_defaults(code, first):
            with self._at(line):
                if MENTION.fullmatch(variable):
                    read.add(line)
                    self._default(line, lines.Subject(a_variable(variable), "", ""), (a_model(model),), "")
        self._mentions(code.split("\n"), first, read)

    def _entry(self, entry: tables.Entry) -> None:
        alias = an_alias(entry.key)
        if entry.of_variables:
            variable = a_variable(entry.value)
            self._add(Statement(entry.line, What.VARIABLE, alias, (variable,), variable=variable))
        else:
            self._add(Statement(entry.line, What.DEFAULT, alias, (a_model(entry.value),), RUNTIME))

    def _visible(self, number: int, text: str) -> str:
        """A line without what is hidden from readers, and so says nothing."""
        whole, hidden = text, self._comment
        if hidden:
            _, ended, text = text.partition("-->")
            self._comment = not ended
        self._comment = self._comment or any(not ended for ended in COMMENT.findall(text))
        text = COMMENT.sub("", text)
        if text != whole and not names_variable(text):
            self._mention(number, whole)
        return text

    def _mentions(self, code: Iterable[str], first: int, read: Container[int] = ()) -> None:
        for number, line in enumerate(code, start=first):
            if number not in read:
                self._mention(number, line)

    def _mention(self, number: int, text: str, *, always: bool = False) -> None:
        """Tell of a line that said nothing, if it names a routing variable."""
        if not (always or names_variable(text)):
            return
        if text.lstrip().startswith("|"):
            self._fault(number, NO_TABLES)
        else:
            self.not_read.append(NotRead(number, text.strip()[:MAX_LINE]))

    def _add(self, statement: Statement) -> None:
        self.statements.append(statement)

    def _fault(self, line: int, message: str) -> None:
        self.faults.append(MatrixFault(line, message))

    @contextmanager
    def _at(self, line: int) -> Iterator[None]:
        """What can't be read within is a fault of this line, or of that which it names itself."""
        try:
            yield
        except Unreadable as error:
            self._fault(error.line if isinstance(error, tables.TableFault) else line, str(error))
