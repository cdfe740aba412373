# ruff: noqa: RUF001  (words of other scripts hold letters that look like Latin ones)
"""The word lists of `auto`, by feature: part of the table in `rules`, under the same version.

Entries are separated by commas. `compar*` matches every word that begins so, `cite` only the whole word, `state of the
art` words in a row (the last may end in a star). An entry in a script without spaces (Chinese, Japanese) is looked
for anywhere. A list counts how many of its entries occur, not how often. `ALIKE` is replaced before anything else.
"""

from __future__ import annotations

ALIKE = (("c++", "cpp"), ("c#", "csharp"))

CONTINUE = """
    continue, go on, go ahead, keep going, carry on, proceed, more, weiter, mach weiter, fortfahren, continuez, vas y,
    poursuis, sigue, continúa, continua, avanti, prossegui, prossiga, продолжай, продолжайте, дальше, 继续, 続けて,
    続き, 계속, verder, ga door, kontynuuj, dalej
"""

# What stands before a technology when it is to be used, and what behind its name is made with it.
LEADS = "in, using, use, with, via, mit, en, avec, con, usando, em, com, на, в, met, w"
MADE_THINGS = """
    app, application, bot, class, code, compiler, component, crate, developer, error, formula, function, game, gui,
    hook, library, macro, method, module, package, program, project, query, script, server, test, tests
"""
# Technologies whose names are ordinary words: they count in both such places, or only before a thing.
AMBIGUOUS = "go, rust, ruby, swift, node, react, excel, rails, bootstrap, android, playwright, kafka"
MORE_AMBIGUOUS = "c, r, julia, dart, unity, express, spark, jest"
# The same where no space stands between.
UNSPACED_USES = """
    用go, 用 go, 用rust, 用 rust, 用ruby, 用swift, 用 swift, 用node, 用react, 用 react, 用excel, 用 excel, goで,
    rustで, rubyで, swiftで, nodeで, reactで, excelで
"""

VOCABULARY = {
    # One of these alone makes a message code-heavy: they must hardly occur outside programming.
    "code_terms": """
        regex*, regular expression*, regulären ausdruck*, reguläre ausdrück*, expression régulière*,
        expresión regular, expresiones regulares, espressione regolare, espressioni regolari, expressão regular,
        регулярное выражение, регулярку, 正则, 正規表現, 정규식*, dockerfile*, docker compose, cron, crontab*,
        cronjob*, refactor*, refaktor*, refattorizza*, рефактор*, リファクタ, 重构, debug*, déboguer, depurar, отлад*,
        调试, デバッグ, 디버그*, unit test*, unittest*, test unitaire*, tests unitaires, prueba unitaria,
        pruebas unitarias, teste unitário, testes unitários, test unitari*, юнит тест*, 单元测试, 単体テスト,
        단위 테스트*, failing test*, test suite*, pytest, junit, stack trace*, stacktrace*, backtrace*, traceback*,
        segfault*, segmentation fault*, core dump*, null pointer, nullpointer*, undefined reference*, syntax error*,
        command not found, linker error*, compiler*, async, goroutine*, coroutine*, mutex*, deadlock*,
        race condition*, memory leak*, dataframe*, tuple*, linked list*, hash map*, hashmap*, hash table*,
        binary search, binary heap*, binary tree*, time complexity, for loop*, for schleife*, while loop*,
        list comprehension*, type hint*, null check*, foreign key*, stored procedure*, subquer*, codebase*,
        source code, quellcode*, quelltext*, code source, código fuente, código fonte, codice sorgente, исходный код,
        исходного кода, 源代码, ソースコード, pull request*, merge conflict*, merge request*, git commit*,
        git branch*, git command*, github action*, middleware*, localhost, stdin, stdout, kubectl, npm, boilerplate,
        eslint, linter*, environment variable*, makefile*, shader*, pseudocode, pseudo code, leetcode,
        data structure*, dynamic programming, subarray*, substring*, navbar*, snippet*, command line, bash script*,
        bash skript*, shell script*, shell skript*, script bash, script shell, react native, excel formula*, vlookup*,
        write code, write the code, write a function, write a program, write program*, write me a program,
        write me a function, implement a function, implement a class, me code, working code, full code, sample code,
        example code, eine funktion die, une fonction qui, una función que, una funzione che, uma função que,
        функцию которая, sql quer*, sql abfrage*, requête sql, consulta sql, query sql, sql запрос*
    """,
    # What is programmed with, where the name means little else. Counted once: "which database suits us" names five.
    "technologies": """
        python*, питон*, пайтон*, 파이썬*, javascript, 자바스크립트*, typescript, java, 자바, 자바로, kotlin, golang,
        scala, perl, php, haskell, elixir, erlang, clojure, lua, matlab, fortran, cobol, ocaml, prolog, solidity,
        verilog, vhdl, vba, vbs, vimscript, bash, powershell, html, html5, css, scss, xaml, svg, latex, sql, mysql,
        postgres*, sqlite, mongodb, redis, graphql, cpp, csharp, dotnet, asp net, net core, net framework, wpf,
        nodejs, node js, reactjs, vuejs, vue, svelte, angular, nextjs, jquery, tailwind, django, flask, fastapi,
        laravel, symfony, wordpress, drupal, spring boot, spring security, flutter, swiftui, pandas, numpy,
        matplotlib, seaborn, pytorch, tensorflow, keras, sklearn, scikit, opencv, pygame, tkinter, pyqt*, pyside*,
        streamlit, pyspark, cuda, opengl, docker, kubernetes, k8s, terraform, ansible, nginx, apache, aws, azure, gcp,
        firebase, supabase, git, github, gitlab, linux, ubuntu, debian, nixos, busybox, awk, llvm, gcc, cmake, x86,
        arduino, webpack, vite, selenium, roblox, api, apis, websocket*
    """,
    "technology_uses": """
        用python, 用java, 用cpp, 用c语言, 用js, pythonで, javaで, javascriptで, typescriptで, 파이썬으로, 자바로
    """,
    # "In Python" and one of these make a request.
    "making_words": """
        write, create, make, build, generate, develop, implement*, draw, show me, give me, provide, use, convert,
        extract, how do i, how do you, how can, how to, how would, schreib*, erstell*, baue, programmier*, zeig*,
        wie kann, écris, écrivez, crée, créez, créer, génère*, fais, montre*, comment, escribe*, crea, crear, haz,
        genera, muestra*, cómo, scriv*, fammi, mostra*, come, escreva*, crie, criar, faça, gere, mostre, como, напиш*,
        созда*, сдела*, покаж*, как, schrijf*, maak, napisz, stwórz, zrób, 写, 做, 生成, 创建, 作って, 作成, 書いて,
        実装, 만들*, 작성*
    """,
    # Three of these, or one beside a technology or earlier code.
    "code_words": """
        code, codes, código*, codice, kodu, kod, код, кода, коде, 代码, コード, 코드*, program, programa, programma,
        programm, программу, программа, 程序, プログラム, 프로그램*, programming, function*, funktion*, fonction*,
        función, funciones, funzion*, função, funções, функци*, funkcj*, functie*, 函数, 関数, 함수*, script*,
        skript*, скрипт*, skrypt*, 脚本, スクリプト, 스크립트*, method, methods, methode*, méthode*, método*, metodo,
        metodi, метод, метода, методы, metod, metody, 方法, メソッド, class, classes, klasse*, clase, clases, classe,
        classi, класс, класса, klasę, 类, クラス, 클래스*, algorithm*, algoritm*, алгоритм*, 算法, アルゴリズム,
        알고리즘*, 排序, implement*, implémente*, реализ*, 实现, 実装, 구현*, variable*, variabile*, variável,
        переменн*, 变量, 変数, 변수*, array*, tableau*, arreglo*, массив*, tablic*, 数组, 配列, 배열*, loop, loops,
        schleife*, boucle*, bucle*, laço, ciclo, цикл*, pętl*, 循环, ループ, 반복문*, query, queries, abfrage*,
        requête*, consulta*, запрос*, zapytani*, 查询, クエリ, 쿼리*, database*, datenbank*, base de données,
        bases de datos, base de datos, banco de dados, база данных, базы данных, базу данных, базе данных, 数据库,
        データベース, 데이터베이스*, string*, integer*, boolean*, dictionar*, wörterbuch, dictionnaire, diccionario,
        словарь, bug, bugs, error*, erreur, fehlermeldung*, exception*, excepción*, exceção, eccezion*, исключени*,
        异常, 例外, 예외*, endpoint*, server*, json, csv, xml, yaml, parser*, parse, component*, компонент*,
        コンポーネント, 组件, 컴포넌트*, test, tests, teste, index, thread*, cache*, cli, sdk, div, login, commit*,
        branch*, merge*, deploy*, repo, repos, repository, container*, callback*, wrapper*, schema*, lint, render*,
        button, backend, frontend, pipeline*, type, types, module*, argument*, parameter*, parámetro*, параметр*,
        参数, 引数, object*, objet, objets, objeto*, oggett*, объект*, 对象, compile, compiles, kompilier*, compila,
        编译, コンパイル, config, install, sort, trier, sortieren, ordenar, ordinare, отсортиро*, リスト, plugin*,
        gui, widget*, textbox, dropdown, neural network*, recursi*, complexity, binary, syntax, runtime, socket*,
        http*, proxy, cpu, gpu, gpus, pointer*, byte*, serializ*, scrape*, scraping, crawler*, terminal, command,
        console, dict, tensor*, null, conf, subclass*, decorator*, iterat*, lru
    """,
    # One of these alone makes a message research-like.
    "research_terms": """
        literature review*, review of the literature, literature on, systematic review*, scoping review*,
        meta analys*, metaanaly*, méta analyse*, metaanálisis, metanalisi, метаанализ*, 荟萃分析, メタ分析,
        메타 분석*, peer review*, state of the art, scholarly, bibliograph*, bibliograf*, citation*, cite, cites,
        cited, academic paper*, academic commentary, academic literature, case law, primary sources, research paper*,
        research question*, market research, market analysis, market stud*, competitive landscape,
        competitive analysis, do research, recent research, research report*, deep research, studies on,
        studies about, papers on, papers about, sources on, sources about, sources for, with sources, find sources,
        literaturübersicht*, literaturrecherche*, quellenangabe*, mit quellen, forschungsstand*, stand der forschung,
        recherchier*, marktanalyse*, marktstudie*, wissenschaftliche belege, wissenschaftlichen belege, studien zu,
        studien zum, studien zur, revue de la littérature, revue de littérature, état de l art, étude de marché,
        études sur, sources sur, revisión bibliográfica, revisión sistemática, revisión de la literatura,
        estado del arte, estudio de mercado, estudios sobre, fuentes sobre, estado da arte, revisão de literatura,
        revisão bibliográfica, revisão sistemática, artigos científicos, estudos sobre, fontes sobre,
        rassegna della letteratura, revisione sistematica, stato dell arte, ricerca di mercato, studi su, studi sul,
        studi sulla, fonti su, обзор литературы, обзор исследований, литературный обзор, систематический обзор,
        исследования о, источники о, источники по, literatuuroverzicht*, literatuurstudie*, przegląd literatury,
        przegląd badań, 文献综述, 参考文献, 学术论文, 综述, 先行研究, 文献レビュー, 문헌*
    """,
    # Two of these.
    "research_words": """
        compar*, versus, vergleich*, vergelijk*, gegenüber, gegenüberstell*, confronta*, confronto, сравни*,
        сравнени*, porówna*, 比较, 比べ, 比較, 비교*, contrast*, sources, a source, quellen, fuentes, fonti, fontes,
        источник*, bronnen, źródł*, 来源, 出典, 출처*, tes sources, leurs sources, vos sources, a reference,
        references, referenz*, référence*, referencia*, referência*, riferimenti, ссылк*, studies, studien, études,
        estudios, estudos, studi, исследовани*, badania, badań, onderzoek*, 研究, 연구*, papers, 论文, 論文, 논문*,
        evidence, evidenz*, evidencia*, belege, preuves, доказательств*, research*, forschung*, recherche, recherches,
        investiga*, ricerche, pesquisa*, scientific*, wissenschaftlich*, scientifique*, científic*, научн*, naukow*,
        wetenschappelijk*, 科学, 学术, randomi*, trials, findings, literature, literatur, littérature, literatura,
        letteratura, литератур*, 文献, survey*, überblick*, overview, panorama, обзор*, recent, latest, aktuell*,
        récent*, recient*, recenti, recentes, последни*, 最新, 近年, trends, tendance*, tendencia*, statistic*,
        statistik*, statistique*, estadística*, статистик*, 统计, 統計, market, markt, marché, mercado, mercato,
        рынок, рынка, 市场, 市場, 시장*, benchmark*, in depth, comprehensive*
    """,
    # None of these may stand in a simple message: they ask for reasons, plans, advice or a text.
    "thinking_words": """
        why, how, should i, should we, explain*, describe*, plan, plans, planning, design*, strateg*, prove, proof,
        argue, argument*, analy*, discuss*, advice, advise, suggest*, recommend*, idea*, opinion*, think, help me,
        step by step, difference*, improve*, optimi*, brainstorm*, create, generate, build, make a, imagine, pretend,
        summari*, what if, pros, cons, consider*, evaluat*, critique*, prepare*, organi*, write, draft*, compose*,
        rewrite, poem*, story, essay*, speech, worried, struggling, worth, decide, decision*, what are the, best way,
        ways to, impact*, effect*, cause*, influence*, challenge*, factor*, benefit*, advantage*, solve, compute,
        calculate, derive, equation*, integral, derivative, prime, probability, simplify, script, song, plot,
        caption*, example*, guide, outline, curriculum, warum, wieso, weshalb, wie, erklär*, beschreib*, plane,
        planen, beweis*, vorschlag*, vorschläge*, empfehl*, ideen, idee, unterschied*, schreib*, gedicht*,
        geschichte*, verbesser*, entwirf, entwickle, erstell*, soll ich, sollte ich, hilf mir, pourquoi, comment,
        expliqu*, décri*, planifi*, stratégie*, prouve*, démontr*, propos*, conseil*, idée*, différence*, écris,
        écrivez, écrire, rédig*, poème*, histoire, discours, améliorer, prépar*, dois je, aide moi, crée, créer,
        por qué, porqué, cómo, explica*, explícame, estrategia*, demuestra*, sugi*, sugerencia*, recomiend*, consejo*,
        diferencia*, escribe*, escriba*, escribir, escríbe*, historia, discurso, mejorar, debería, ayúdame, perché,
        spiega*, descriv*, pianifica*, dimostra*, suggeri*, consigli*, differenz*, scriv*, poesia, storia, discorso,
        migliorar*, dovrei, come posso, come funziona, come faccio, come si fa, aiutami, por que, planej*,
        estratégia*, conselho*, diferença*, escreva*, escreve, escrever, redija, melhorar, devo, como posso,
        como funciona, como faço, como fazer, me ajude, почему, зачем, как, объясни*, опиши*, план, спланируй*,
        стратеги*, докажи*, посовет*, совет*, предлож*, идеи, идею, разниц*, напиш*, сочини*, придума*, расскаж*,
        стих*, улучш*, стоит ли, помоги*, waarom, hoe, verklaar*, leg uit, schrijf*, maak een, dlaczego, jak,
        wyjaśnij*, napisz*, zaplanuj*, 为什么, 为何, 解释, 计划, 规划, 设计, 策略, 证明, 建议, 推荐, 区别, 写一, 写个,
        写封, 写篇, 写出, 编写, 如何, 怎么办, 怎么做, 怎样, 分析, 帮我, 改进, なぜ, どうして, 説明, 計画, 企画, 提案,
        アイデア, 違い, 書いて, どうすれば, どのように, 教えてください, 作成, 作って, 왜, 설명*, 계획*, 제안*, 추천*,
        차이*, 써줘, 작성*, 어떻게, 조언*, 도와*
    """,
    # A "how" that asks for a fact or for someone's health; each outweighs one of the above.
    "plain_questions": """
        how are, how is it going, how s it going, how s your, how many, how much, how old, how tall, how far,
        how long, how big, how high, how deep, how fast, how often, how do you say, how do you spell,
        how do you pronounce, wie geht*, wie viel*, wie alt, wie hoch, wie weit, wie lange, wie spät, wie groß,
        wie schnell, wie heiß*, wie oft, wie sagt man, wie schreibt man, comment ça va, comment vas*, comment allez*,
        comment dit*, comment s appelle*, comment s écrit, cómo est*, cómo te va, cómo se dice, cómo se llama*,
        cómo se escribe, как дела, как сказать, как зовут, как будет, как пишется, как называ*, как твои дела,
        hoe gaat*, hoeveel, hoe oud, hoe laat, hoe ver, hoe groot, hoe heet, jak się masz, jak się nazywa*,
        jak daleko, jak długo
    """,
    # What a follow-up points back with.
    "references": """
        it, this, that, these, those, them, same, instead, also, too, again, now, above, previous, das, dies*, es,
        auch, stattdessen, nochmal, noch, jetzt, dafür, damit, ça, cela, ceci, aussi, maintenant, plutôt, eso, esto,
        lo, también, ahora, questo, quello, anche, ora, invece, isso, isto, também, agora, это, этого, его, тоже,
        теперь, ещё, еще, dit, dat, ook, nu, to, też, teraz, 这, 那, 它, 再, 也, これ, それ, 今度, 그것*, 이것*, 그걸,
        이걸, 다시
    """,
    "courtesies": """
        thanks, thank, thx, ty, danke*, merci, gracias, grazie, obrigad*, спасибо, благодарю, 谢谢, 多谢, ありがとう,
        감사*, 고마*, bedankt, dank, dzięk*
    """,
}


def _pairs(first: str, second: str) -> str:
    """Each entry of the first list before each of the second."""
    ends = [entry.strip().removesuffix("*") for entry in second.split(",")]
    return ", ".join(f"{start.strip()} {end}" for start in first.split(",") for end in ends)


_IN_PLACE = f"{UNSPACED_USES}, {_pairs(LEADS, AMBIGUOUS)}, {_pairs(f'{AMBIGUOUS}, {MORE_AMBIGUOUS}', MADE_THINGS)}"
VOCABULARY["technology_uses"] += f", {_pairs(LEADS, VOCABULARY['technologies'])}, {_IN_PLACE}"
VOCABULARY["technologies"] += f", {_IN_PLACE}"
