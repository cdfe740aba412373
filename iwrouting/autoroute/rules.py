"""The one table of `auto`: every weight, threshold and syntax signal, with what it is for (design.md 4).

Its word lists stand in `vocabulary`, because they are long. Whatever changes an answer is changed in these two files,
and `RULES_VERSION` is raised with it: decisions store the version beside the features.
"""

from __future__ import annotations

RULES_VERSION = "2026-11-22.1"

# --- how much is read (characters) -----------------------------------------------------------------------------------
SCAN_HEAD = 6_000  # of the deciding message, for syntax: from its beginning ...
SCAN_TAIL = 3_000  # ... and up to its end; what lies between is only counted, not read
SCAN_LINES = 300  # lines of that
ASK_HEAD = 1_200  # of the deciding message, for words: people say what they want first ...
ASK_TAIL = 600  # ... or last
LINE_CHARS = 200  # of each line
HISTORY_MESSAGES = 4  # other messages that are looked at, the newest ones
HISTORY_CHARS = 400  # of each of them
MESSAGES_MAX = 2_000  # messages looked through for the deciding one, from the newest
PARTS_MAX = 256  # content parts looked at, at each end of a list of parts
FEATURE_MAX = 10**9  # no feature is larger

# --- thresholds ------------------------------------------------------------------------------------------------------
CODE_POINTS = 6  # from here on a message is code-heavy
CODE_WORDS_PER_POINT = 75  # one point more for each so many words: a long text mentions many things
CODE_POINTS_MAX = 20  # never more is asked for
RESEARCH_POINTS = 2  # from here on a message is research-like
LONG_WORDS = 400  # from here on a message is long
FAST_WORDS = 12  # up to here a message is very short
FAST_CHARS = 200  # if these are few too (a token or an address may be long); longer ones aren't searched for formulas
FAST_LINES = 2  # and simple, if it has no more lines than that
# A message with any of these is no simple one.
NOT_SIMPLE = ("images", "files", "fences", "code_lines", "research_terms", "research_words", "math_signals")
FOLLOW_UP_WORDS = 12  # a follow-up that says "it" or "that" and little else leans on what came before
COURTESY_WORDS = 8  # a "thank you" of at most so many words asks for nothing
CONTINUE_WORDS = 3  # a bare "go on" is decided by the request that it continues ...
CONTINUE_MAX = 8  # ... through at most so many of them

# --- length: scripts that write without spaces, and how many of their characters make about one word -----------------
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese, Japanese
CJK_CHARS_PER_WORD = 2
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
UNSPACED_CHARS_PER_WORD = 5

# --- weights: feature -> (points each, counted at most) --------------------------------------------------------------
CODE_WEIGHTS = {
    "fences": (4, 4),
    "code_lines": (2, 12),
    "code_signals": (2, 8),
    "trace_signals": (4, 4),
    "sql_signals": (4, 4),
    "code_terms": (6, 4),  # one is enough
    "technologies": (4, 1),  # naming one is a topic; naming several still is
    "technology_uses": (1, 1),  # "in Python" ...
    "making_words": (1, 1),  # ... and "write" make it a request; "five years in Java" isn't one
    "code_words": (2, 6),
}
HISTORY_CODE_POINTS = 4  # after code, one code word of the message's own is enough
RESEARCH_WEIGHTS = {"research_terms": (2, 3), "research_words": (1, 6)}
HISTORY_RESEARCH_POINTS = 1  # never enough alone: a research model is slow and dear

# --- features: name -> (singular, plural, what it counts) ------------------------------------------------------------
FEATURES = {
    "messages": ("message", "messages", "messages of the request"),
    "chars": ("character", "characters", "characters of the deciding message"),
    "words": ("word", "words", "its words; two Chinese or Japanese characters count as one, so do five Thai ones"),
    "lines": ("line", "lines", "its lines that aren't empty"),
    "images": ("image", "images", "images in it"),
    "files": ("file", "files", "files and sounds in it"),
    "fences": ("fenced block", "fenced blocks", "its blocks between lines of three backticks or tildes"),
    "code_lines": ("code line", "code lines", "its lines that are shaped like code"),
    "code_signals": ("code signal", "code signals", "operators, calls, identifiers and file names inside its lines"),
    "trace_signals": ("trace signal", "trace signals", "stack frames, error names, compiler and log lines"),
    "sql_signals": ("SQL clause", "SQL clauses", "clauses of SQL"),
    "code_terms": ("code term", "code terms", "words that hardly occur outside programming"),
    "technologies": ("technology", "technologies", "programming languages and tools"),
    "technology_uses": ("technology in use", "technologies in use", "such a name after in, using, with"),
    "making_words": ("making word", "making words", "words that ask to make or to show something"),
    "code_words": ("code word", "code words", "words of programming that mean other things too"),
    "research_terms": ("research term", "research terms", "words that ask for literature, citations, market studies"),
    "research_words": ("research word", "research words", "words of comparing and of evidence"),
    "thinking_words": ("thinking word", "thinking words", "words that ask for reasons, plans, advice or a text"),
    "plain_questions": ("plain question", "plain questions", "a how that asks for a fact: how many, how do you say"),
    "math_signals": ("formula sign", "formula signs", "signs of mathematics: a short formula is no simple message"),
    "references": ("reference back", "references back", "words such as it, that, instead, also"),
    "courtesies": ("courtesy", "courtesies", "words of thanks"),
    "continued": ("continuation", "continuations", "bare 'go on' messages passed over to find the request"),
    "history_code": ("earlier code message", "earlier code messages", "newest other messages that hold code"),
    "history_research": ("earlier research ask", "earlier research asks", "those of the user that ask for research"),
}

# --- code: the shape of a line, tried once at its beginning ----------------------------------------------------------
MODIFIERS = "(?:(?:export|default|pub|public|private|protected|static|async|suspend|override|inline|abstract|final) )*"
CODE_LINES = (
    MODIFIERS + r"(?:def|func|fn|fun|function|sub|proc)\b[^.!?]{0,80}[({:]",  # a function
    MODIFIERS + r"(?:class|struct|enum|interface|trait|impl|module|namespace|object|data class)\s[\w<].{0,80}[{:(]$",
    r"(?:public|private|protected|internal|static|final|const|let|var|val|mut|readonly|export)\s"
    r"[\w<>\[\], :*&?]{1,60}[=({;]",  # a declaration
    r"\w[\w<>\[\], *&:?]{0,60}\s\*?\w{1,40}\s?=\s?.{1,120};",  # a declaration with its type first
    r"import [\w.{*\"'@/-]{1,80}(?:;|,| from | as |$)|from [\w.]{1,80} import |#\s?include\b|#!/|<\?php",
    r"(?:using|use|package|require|include)[ (][\w.:\\'\"/-]{1,80}\)?(?:;|['\"]$)",  # an import
    r"(?:if|for|while|switch|foreach|elif|else if|unless|until|match|catch|except|with|when|case)\b.{0,120}"
    r"(?:[:{]|; ?(?:do|then))$",  # a branch or a loop
    r"(?:if|for|while|switch|foreach|catch) ?\(|(?:else|try|finally):$|(?:end|fi|esac)$|(?:then|do)$",
    r"(?:return|yield|throw|raise|await|echo|print|puts)(?:\s?[(\[{\"'$!]|\s[\w.!]{1,40};?$|\s.{0,120};$)",
    r"[\w.$@*&\[\]\"'-]{2,60}\s?(?:=|:=|\+=|-=|<-|<<)\s?(?:[\w.]{1,60}[(\[]|[\"'\[{(`$&@]|-?[\w.]{1,60};?$|new |await |"
    r"lambda |not |.{0,80}[;()\[{])",  # an assignment; not "mass = 5 kg"
    r"\"[\w .$@/-]{1,60}\"\s?:\s?\S|(?<=  )(?:- )?[a-z][\w-]{0,40}:(?:\s|$)",  # JSON, indented YAML
    r"</?[a-zA-Z][\w-]{0,40}(?:\s[^<>]{0,120})?/?>|<!",  # HTML, XML
    r"[.#]?[a-z][\w-]{0,40}(?:[ ,>.#:]{1,3}[\w-]{1,40}){0,4}\s?\{",  # CSS
    r"\$ [a-z][\w./-]*(?:\s|$)|>>>\s|PS [A-Z]:\\|(?:sudo|git|npm|npx|yarn|pnpm|pip3?|docker|kubectl|curl|wget|apt-get|"
    r"brew|cargo|ssh|systemctl|terraform|helm|dotnet|mvn|gradle|chmod) [-\w./!]",  # a shell command
    r"(?:FROM|RUN|COPY|WORKDIR|CMD|ENTRYPOINT|EXPOSE) \S",  # a Dockerfile
    r"(?:Get|Set|New|Remove|Add|Import|Export|Invoke|Start|Stop)-[A-Z]\w+\s",  # PowerShell
    r"//|/\*|--\[\[|@@ -|(?:---|\+\+\+) [ab]/|[+-]\s{2,8}\S|=[A-Z]{2,20}\(",  # comment, diff, spreadsheet formula
    r"(?:mov|lea|push|pop|xor|add|sub|cmp|inc|dec|call)\s{1,8}[%$\[]{0,2}[re]?(?:[abcd]x|[sd]i|[sb]p)\b",  # assembly
    r"\w{1,60} :: \S",  # a Haskell signature
)
CODE_LINE_ENDS = ("{", "}", "};", "},", ");", "),", "],", "];", '";', "';", "*/", " =>", " &&", " ->", " \\")

# --- code: inside a line; one signal for each row of which any string occurs -----------------------------------------
CODE_STRINGS = (
    ("=>", "->"),
    ("==", "!=", "<=", ">="),
    (":=", "+=", "-=", "++", "--;"),
    ("&&", "||"),
    ("::",),
    ("?.", "!!."),
    ("</", "/>"),
    ("${", "#{", "{{", "<%", "<?", "$_", "$this"),
    ("()", "; }", ";}"),
    ("[]", "[0]", "[1]", "[i]", "{}"),
    ("%>%", "<-", "|>"),
    ("O(n", "O(1)", "O(log"),
    ("| grep", "| head", "| xargs", "2>", "> /"),
)
FILE_EXTENSIONS = (
    "py|pyi|ipynb|m?js|jsx|ts|tsx|vue|java|kts?|scala|go|rs|c|h|cc|[ch]pp|cs|csproj|cshtml|swift|rb|erb|php|pl|lua|exs?|hs|"
    "dart|sh|bash|ps1|bat|sql|html|s?css|json|ya?ml|toml|ini|conf|tf|gradle|xml|lock|env|proto"
)
AFTER_SMALL_LETTERS = "|".join(rf"(?<=\b[a-z]{{{n}}}[A-Z])" for n in range(2, 13))
CODE_PATTERNS = (  # what must occur for the pattern to be tried, the pattern, how often it counts at most
    ("(", r"\.(?<=[\w)\]]\.)[A-Za-z_]\w{0,60}\(", 2),  # a call of a member: user.save(
    ("(", r"\((?<=[a-z_]\w\()(?!e?s\))[^\s)]", 1),  # a call: total(x; not item(s)
    ("(", r"\((?<=[A-Z]{3}\()", 1),  # COUNT(
    ("=", r"=(?<![\w=]=)[A-Z]{2,20}\(", 1),  # =VLOOKUP(
    ("_", r"_(?<=[a-z]{2}_)[a-z]{2}", 2),  # snake_case; not the x_1 of mathematics
    ("", f"[A-Z](?:{AFTER_SMALL_LETTERS})[a-z]", 2),  # camelCase; not YouTube, iPhone
    (".", rf"\.(?<=\w\.)(?:{FILE_EXTENSIONS})\b(?![-\w])", 2),  # main.py
    ("`", r"`(?<!``)[^`\n]{1,80}`(?!`)", 2),  # `inline code`
    ("$", r"\$(?:(?<=[\"'({]\$)[a-z]|(?<![\w$]\$)[a-z_]\w)", 2),  # $variable
    (" -", r" --?[a-z][a-z-]{0,40}(?=[ =\n]|$)(?<![a-z] -)", 1),  # a flag: --force, -p
)

# --- mathematics: LaTeX makes a line no code, one of the signs makes a message no simple one -------------------------
LATEX = r"\\[a-z]{2,20}\{"
MATH_PATTERN = r"[\u2200-\u22ff]|\\[a-z]{2}|\^(?<=\w\^)|=(?:(?<=\b[a-z\d]=)|(?<=\b[a-z\d] =)|(?<=\)=)|(?<=\) =))"

# --- traces: in the whole text; the columns are those of `CODE_PATTERNS` ----------------------------------------------
DATE = r"\d{4}-\d\d-\d\d"
LEVEL = "(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)"
TRACE_PATTERNS = (
    ('File "', r"File \"[^\"\n]{1,200}\", line \d", 4),
    ("at ", r"^[ \t]{0,40}at [\w$.<>/@ ]{3,120}[(:]", 4),  # a frame of Java, C#, JavaScript
    (".", rf"\.(?:{FILE_EXTENSIONS})(?::(?:line )?\d+|\(\d+\))", 4),  # main.go:22
    ("E", r"E(?<=[a-z]E)(?:rror|xception)\b", 4),  # KeyError, NullPointerException
    ("rror", r"[Ee]rror(?:\[\w|:? ?\(?\b[A-Z]{1,5}-?\d{3,6}\b)", 4),  # error[E0382], error TS2322
    ("", r"(?:ORA|SQLSTATE|TS|CS)[-\[(]?\d{4,6}\b", 4),  # ORA-00933, SQLSTATE[42000], TS2322, CS0246
    ("", r"^(?:\S{1,40} )?(?:panic|fatal|FATAL|ERROR|error|Fatal error|npm ERR!|Traceback|Caused by)\b ?[:(!]", 4),
    ("-", rf"^\[?{DATE}[T ]\d\d:\d\d\S{{0,20}} {{1,4}}\S{{0,20}} {{0,4}}\[?{LEVEL}\b", 4),  # a line of a log
    ("0x", r"0x[0-9a-f]{6,16}\b", 4),  # an address
    ("SIG", r"SIG(?:SEGV|ABRT|KILL|TERM|BUS)\b", 4),
)

# --- SQL: white space made single, letters small; one signal for each that occurs, tried only where a word does -------
SQL_WORDS = ("select", "insert", "update", "delete", "create", "alter", "drop", "join")
SQL_PATTERNS = (
    r"\bselect (?:distinct |top \d+ )?(?:\*|\w{1,60}\(|[\w.]{1,60}(?: as \w|, ?[\w.]{1,60}(?:,| from\b)))",
    r"\bfrom [\w.\"]{1,60} (?:\w{1,20} )?(?:where|join|inner|left|limit|order by|group by)\b",
    r"\binsert into [\w.\"`\[]{1,60} ?(?:\(|values|select)",
    r"\bupdate [\w.\"`\[\]]{1,60} set [\w.\"`\[\]]{1,60} ?=",
    r"\bdelete from \w{1,60}(?: \w{1,20})? ?(?:where|join|using|;)",
    r"\b(?:create|alter|drop) (?:or replace |unique |temporary )?(?:table|index|view|trigger)\b [\w.\"]{1,60} ?[(;aoc]",
    r"\b(?:left|right|inner|outer|cross|full) join \w|\bjoin \w{1,60} (?:as )?(?:\w{1,20} )?on \w",
    r"\b(?:group|order) by [\w.]{1,60}(?:,| desc\b| asc\b| having\b|;|$)",
    r"\bwhere [\w.]{1,60} ?(?:=|<|>|in \(|like '|is null|is not null|between)",
    r"\bon conflict\b|\breturning (?:\w|\*)|\bvalues ?\(",
    r"\b(?:primary|foreign) key\b|\bnot null\b|\bvarchar ?\(",
)
