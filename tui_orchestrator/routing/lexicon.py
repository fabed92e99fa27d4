"""Words and phrases that speak for a task type, in six languages, each list with the weight of one mention.

Hand-set. A phrase is written with underscores. Words count in full where the instruction usually stands (the first and
the last words of a prompt) and little in the middle, where pasted material lies. Chinese and Japanese write no spaces:
their cues are looked for as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .profile import TaskType as T

_WORDS: tuple[tuple[T, float, str], ...] = (
    # Names of languages and tools: who writes them is programming.
    (
        T.CODE,
        2.4,
        "python javascript typescript java golang kotlin php perl haskell scala c++ c# vb.net autolisp "
        "html css sql mysql postgres postgresql sqlite mongodb regex bash powershell numpy pandas django flask react "
        "vue angular node.js nodejs next.js npm docker dockerfile kubernetes kubectl git github terraform "
        "ansible nginx "
        "linux ubuntu debian sudo chmod grep awk sed crontab cron ffmpeg ssh systemd curl tmux vim opengl cuda "
        "pytorch tensorflow verilog vhdl solidity webpack graphql fastapi pytest selenium hashmap subprocess async "
        "laravel rails odoo godot unity matlab octave vba hadoop kafka redis aws azure lambda_function "
        "sklearn scikit-learn keras "
        "flutter android wordpress cmake makefile assembly esp32 arduino graphviz power_bi unit_tests "
        "chrome_extension "
        "tftp http https websocket oauth excel_formula macro terraform autohotkey middleware framework "
        "in_rust in_swift in_go in_c in_r in_lua in_ruby in_dart rust_program",
    ),
    (
        T.CODE,
        1.6,
        "commit rebase merge_conflict "
        "code coding script program programming implement implementation function method class api endpoint "
        "algorithm "
        "unittest unit_test json yaml xml shell terminal command_line cli command compile compiler backend frontend "
        "query database webpage website app repository array string linked_list binary_tree hash_table recursive "
        "programm programmiere programmieren schreibe_code quellcode skript implementiere datenbank befehl "
        "programme programmer implémente implémenter fonction commande "
        "programa programar implementa función código comando",
    ),
    # The vocabulary of shell requests, which name no language.
    (
        T.CODE,
        1.2,
        "file files directory directories folder folders subdirectories symlink symlinks recursively executable "
        "permissions processes pid disk_usage disk_space hostname environment_variable stdout stdin stderr pipe "
        "archive tarball gzip extension port localhost dateien verzeichnis ordner prozesse rekursiv speicherplatz "
        "fichiers répertoire dossier processus récursivement archivos directorio carpeta procesos",
    ),
    (
        T.CODE,
        0.8,
        "input output loop variable variables integer integers object list lists sort sorted merge",
    ),
    (
        T.DEBUGGING,
        2.2,
        "debug debugging bug bugs traceback stacktrace stack_trace exception segfault doesn't_work does_not_work "
        "not_working won't_compile fix_this fix_my fix_the what's_wrong what_is_wrong why_does_this_fail crashes "
        "throws undefined null_pointer error_message fehlermeldung fehlersuche debugge funktioniert_nicht "
        "behebe bogue débogue déboguer ne_marche_pas ne_fonctionne_pas corrige no_funciona depura depurar arregla",
    ),
    (T.DEBUGGING, 1.2, "error errors fails failing crash fix fehler erreur erreurs falla errores wrong"),
    (
        T.CODE_REFACTOR,
        2.6,
        "refactor refactoring refactored clean_up_this more_readable more_idiomatic more_efficient run_faster "
        "make_it_faster make_this_faster modernize refaktoriere refaktorieren refaktorisiere refactorise "
        "refactoriser "
        "refactorisez refactoriza refactorizar",
    ),
    (T.CODE_REFACTOR, 1.0, "optimize optimise simplify rewrite readable optimiere vereinfache optimise optimiza"),
    (
        T.MATH,
        2.4,
        "prove proof theorem lemma integral derivative equation equations polynomial eigenvalue eigenvalues "
        "determinant matrix primes factorial logarithm trigonometry calculus algebra modulo hypotenuse quadratic "
        "gleichung beweise beweis integral ableitung démontrer démontre prouver prouve équation intégrale dérivée "
        "demuestra demostrar ecuación derivada how_many how_much_does what_is_the_probability the_value_of "
        "quadratwurzel wurzel racine_carrée raíz_cuadrada square_root",
    ),
    (
        T.MATH,
        1.6,
        "solve calculate compute probability percent percentage triangle circle radius perimeter area volume sum "
        "divided multiplied multiply remainder integers angle geometry how_much equilibrium "
        "berechne löse wahrscheinlichkeit prozent dreieck wie_viele wie_viel "
        "calculer calcule calculez résous résoudre probabilité triangle combien "
        "calcula resuelve calcular probabilidad cuánto cuántos cuántas triángulo",
    ),
    (
        T.REASONING,
        2.2,
        "puzzle riddle logic logical logically deduce infer premise premises syllogism paradox lying truth-teller "
        "which_of_the_following true_or_false must_be_true multiple-choice rätsel logisch schlussfolgere énigme "
        "logique déduis acertijo lógica deduce game_theory who_is_telling",
    ),
    (T.REASONING, 1.0, "reasoning step_by_step suppose assume therefore if_all angenommen supposons supongamos"),
    (
        T.RESEARCH,
        1.9,
        "explain explanation explaining how_does how_do how_can why overview in-depth in_depth state-of-the-art "
        "literature survey "
        "tell_me_about what_can_you_tell describe describing difference_between what_are_the what_causes history "
        "what_are why_is why_do can_you_detail provide_details sources citations research investigate "
        "elaborate discuss "
        "erkläre erklär erklären warum wie_funktioniert beschreibe unterschied überblick recherchiere "
        "explique expliquer expliquez pourquoi comment décris différence aperçu recherche "
        "explica explicar explícame por_qué cómo describe diferencia investiga what_would_happen how_to "
        "how_is how_are",
    ),
    (
        T.ANALYSIS,
        2.0,
        "positive_or_negative is_the_review the_reviewer the_author_of the_writer not_equivalent equivalent "
        "sentiment_does "
        "the_following_two_sentences which_topic what_category "
        "analyze analyse analysis analyzing compare comparison contrast sentiment interpret classify categorize "
        "categorise pros_and_cons trade-offs tradeoffs swot diagnosis given_a_list which_category topic_of "
        "analysiere analysieren vergleiche einordnen vor-_und_nachteile vor_und_nachteile "
        "analyser analysez compare comparer comparez avantages_et_inconvénients "
        "analiza analizar compara comparar ventajas_y_desventajas clasifica klassifiziere classe",
    ),
    (
        T.EVALUATION,
        2.4,
        "evaluate grade score rate judge critique assess feedback_on is_this_correct is_it_correct rubric "
        "review_my review_this mark_this bewerte beurteile bewerten korrigiere "
        "évalue évaluer évaluez noter critique evalúa evaluar califica corrige_este",
    ),
    (
        T.PLANNING,
        2.2,
        "plan itinerary roadmap schedule strategy brainstorm suggest recommend recommendations ideas organize "
        "organise timeline milestones agenda workout meal_plan steps_to give_me_ideas names_for architecture "
        "plane planen reiseplan zeitplan vorschläge ideen empfehle planifie planifier itinéraire "
        "idées suggère recommande planifica planificar itinerario ideas sugiere recomienda design entwirf "
        "conçois diseña",
    ),
    (
        T.CREATIVE,
        2.3,
        "story poem haiku sonnet limerick song lyrics rap joke jokes novel fiction character characters dialogue "
        "monologue screenplay roleplay role-play act_as pretend imagine fanfic scene plot essay email e-mail "
        "a_letter letter_to cover_letter "
        "blog tweet slogan speech eulogy caption headline paraphrase rephrase proofread fantasy roleplaying "
        "you_have_been_appointed play_the_role the_role_of geschichte gedicht lied witz aufsatz einen_brief märchen "
        "histoire poème chanson blague dissertation lettre courriel "
        "cuento poema historia canción chiste ensayo carta correo",
    ),
    (T.CREATIVE, 1.9, "you_are_a you_are_an you_are_the you're_a show_script story_about as_if_you characters"),
    (
        T.CREATIVE,
        0.7,
        "write draft compose creative style chapter rewrite tone reword schreibe écris écrivez escribe escribir",
    ),
    (
        T.SUMMARIZATION,
        3.2,
        "summarize summarise summary summarizing summarization tl;dr tldr condense key_points gist main_points "
        "in_a_nutshell shorten sum_up recap abstract_for short_abstract boils_down "
        "zusammenfassung zusammenfassen fasse kurzfassung "
        "résume résumer résumez résumé resumen resumir resúmeme resume_este resume_esta resume_el resume_la "
        "highlights_of",
    ),
    (
        T.TRANSLATION,
        3.6,
        "translate translation translated translating übersetze übersetz übersetzen übersetzung traduis traduire "
        "traduisez traduction traduce traducir traduzca traducción traduza how_do_you_say wie_sagt_man "
        "comment_dit-on cómo_se_dice",
    ),
    (
        T.EXTRACTION,
        2.8,
        "extract extraction extracting pull_out named_entities list_all_the find_all_mentions parse_the "
        "extrahiere extrahieren extraire extrais extrayez extrae extraer",
    ),
    (
        T.PROBLEM_GENERATION,
        3.6,
        "practice_problems practice_questions exam_question exam_questions quiz worksheet exercises "
        "word_problems flashcards "
        "quiz_questions test_questions multiple_choice_questions generate_problems math_problems "
        "übungsaufgaben aufgaben prüfungsfragen exercices problèmes_de ejercicios problemas_de cuestionario",
    ),
    (
        T.COMPLETION,
        3.0,
        "complete_the complete_this finish_the finish_this continue_the continue_this fill_in fill-in autocomplete "
        "the_next_sentence vervollständige setze_fort complète complétez continue_le completa_la completa_el "
        "continúa",
    ),
    (
        T.SIMPLE_QA,
        1.7,
        "who when where which whose capital what_year what_day define definition meaning_of what_is what's what_was "
        "what_does what_do is_there is_it does_the how_old how_far how_tall how_long synonym spell "
        "wer wann wo welche welcher welches hauptstadt was_ist wie_heißt wie_hoch wie_alt bedeutet "
        "qui quand où quel quelle quels quelles capitale qu'est-ce "
        "quién cuándo dónde cuál qué_es qué qu'est-ce_que c'est_quoi",
    ),
    (
        T.CONVERSATION,
        3.2,
        "hi hello hey thanks thank_you bye goodbye good_morning good_evening good_night how_are_you what's_up "
        "nice_to_meet hallo danke tschüss guten_morgen guten_tag guten_abend wie_geht's wie_geht servus moin "
        "bonjour merci salut bonsoir ça_va comment_vas-tu comment_ça_va hola gracias adiós buenos_días buenas_noches "
        "cómo_estás qué_tal",
    ),
    (
        T.CONVERSATION,
        1.0,
        "i_feel i'm_feeling do_you_like do_you_think your_favorite your_opinion your_name are_you can_you_speak "
        "do_you_know ok okay cool lol haha sorry yes no",
    ),
)

_CJK: tuple[tuple[T, float, str], ...] = (
    (
        T.CODE,
        2.4,
        "代码 编程 程序 脚本 函数 算法 数据库 命令行 终端 コード プログラム 関数 スクリプト アルゴリズム 実装",
    ),
    (T.CODE, 1.2, "实现 文件夹 目录 进程 ファイル ディレクトリ プロセス 数组"),
    (T.DEBUGGING, 2.4, "调试 报错 错误 修复 バグ エラー デバッグ 動かない 异常"),
    (T.CODE_REFACTOR, 3.0, "重构 优化代码 リファクタ"),
    (T.MATH, 2.4, "计算 证明 方程 求解 积分 导数 概率 多少个 計算 証明 方程式 積分 微分 確率 解いて 平方根"),
    (T.REASONING, 2.2, "推理 谜题 逻辑 なぞなぞ 論理 推論 下列"),
    (T.RESEARCH, 2.0, "解释 为什么 介绍 区别 原理 如何 怎么 说明 説明 なぜ 違い 教えて 仕組み"),
    (T.ANALYSIS, 2.2, "分析 比较 对比 优缺点 分类 比較 長所と短所 分類"),
    (T.EVALUATION, 2.4, "评价 评估 打分 评分 点评 評価 採点 添削"),
    (T.PLANNING, 2.4, "计划 规划 行程 方案 建议 推荐 設計 设计 計画 旅程 アイデア おすすめ 提案"),
    (T.CREATIVE, 2.4, "故事 小说 写一首 诗 作文 邮件 文案 角色 扮演 写一篇 笑话 物語 小説 俳句 歌詞 メール 詩を 演じ"),
    (T.SUMMARIZATION, 3.4, "总结 摘要 概括 归纳 要約 まとめ"),
    (T.TRANSLATION, 3.8, "翻译 译成 译为 翻訳 訳して"),
    (T.EXTRACTION, 3.0, "提取 抽取 抽出"),
    (T.PROBLEM_GENERATION, 3.6, "出题 练习题 试题 出几道 練習問題 問題を作"),
    (T.COMPLETION, 3.0, "补全 续写 填空 完成句子 続きを 穴埋め"),
    (T.SIMPLE_QA, 1.7, "什么 谁 哪里 哪个 哪一 何年 首都 多少 是什么 誰 いつ どこ 何です なんですか 吗"),
    (T.CONVERSATION, 3.2, "你好 您好 谢谢 再见 早上好 こんにちは おはよう ありがとう さようなら こんばんは"),
)

_FOLLOW_UP = (
    "and now also again instead but same another what_about how_about make_it do_it try_again now_in und jetzt auch "
    "nochmal stattdessen et maintenant aussi encore y ahora también otra_vez continue go_on more it that this"
)

# The commonest words of each language covered; a prompt with hardly any is in a language the lists do not know.
_COMMON = (
    "the of and to a in is it you that for on with as are be this what how i me my do can or not at from by have an "
    "your write give which if "
    "der die das und ist ein eine einen zu den von mit auf für nicht wie ich es im sie was mir dem des "
    "le la les de des et est un une du en que pour dans qui sur pas au avec ce il je par "
    "el los las y es una en que por con para del se no su al lo como qué mi"
)

CJK_FOLLOW_UP = ("那", "还有", "现在", "再", "继续", "改成", "じゃあ", "次は", "もう一度", "今度は", "それを")
CJK_PROOF = ("证明", "証明", "推导")


Cue = tuple[tuple[str, ...], T, float, int]
"""The words that must follow the one it is filed under and the next; what it speaks for and by how much; its number."""

Cues = tuple[tuple[Cue, ...], Mapping[str, tuple[Cue, ...]]]
"""Of one first word: those that are that one word; and by a next word those that go on with it beside those that are
one word, in the order of the lists."""


def word_set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def by_word(*rows: tuple[float, str]) -> Mapping[str, float]:
    return {word: value for value, listed in rows for word in listed.split()}


class Phrases:
    """A set of words and phrases, looked up by first word."""

    def __init__(self, listed: str) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for phrase in listed.split():
            first, *rest = phrase.split("_")
            self._by_first.setdefault(first, []).append(tuple(rest))

    def may_stand_among(self, words: Iterable[str]) -> bool:
        """Whether one begins with any of these words, in whatever order they are."""
        return not self._by_first.keys().isdisjoint(words)

    def found(self, words: tuple[str, ...]) -> list[str]:
        """Every mention, in order."""
        hits: list[str] = []
        by_first = self._by_first
        if not self.may_stand_among(words):
            return hits
        for at, word in enumerate(words):
            for rest in by_first.get(word, ()):
                if not rest:
                    hits.append(word)
                elif words[at + 1 : at + 1 + len(rest)] == rest:
                    hits.append(" ".join((word, *rest)))
        return hits


def _cues(lists: Iterable[tuple[T, float, str]]) -> Mapping[str, Cues]:
    by_first: dict[str, list[tuple[str, Cue]]] = {}
    number = 0
    filed: set[tuple[T, str]] = set()
    for task_type, weight, listed in lists:
        for phrase in listed.split():
            if (task_type, phrase) in filed:
                # 'Compare' is English, French and Spanish: one mention, one weight.
                continue
            filed.add((task_type, phrase))
            first, *rest = phrase.split("_")
            cue = tuple(rest[1:]), task_type, weight, number
            by_first.setdefault(first, []).append((rest[0] if rest else "", cue))
            number += 1
    return {first: _filed(listed) for first, listed in by_first.items()}


def _filed(listed: Iterable[tuple[str, Cue]]) -> Cues:
    def those(*seconds: str) -> tuple[Cue, ...]:
        return tuple(cue for second, cue in listed if second in seconds)

    return those(""), {second: those("", second) for second, _ in listed if second}


CUES = _cues(_WORDS)
CJK_CUES = tuple((cue, task_type, weight) for task_type, weight, listed in _CJK for cue in listed.split())
CJK_BEGINNINGS: Mapping[str, tuple[int, ...]] = {
    first: tuple(at for at, (cue, _, _) in enumerate(CJK_CUES) if cue[0] == first)
    for first in dict.fromkeys(cue[0] for cue, _, _ in CJK_CUES)
}
"""Where in CJK_CUES those stand that begin with a character."""
FOLLOW_UP = Phrases(_FOLLOW_UP)
COMMON = word_set(_COMMON)
