"""What answers say when they refuse, hedge or take themselves back, in six languages."""

from __future__ import annotations

import re

from .lexicon import Phrases

_ENGLISH = (
    r"\bi(?: am|'m)? (?:(?:sorry|afraid),? (?:but )?i )?"
    r"(?:can't|cannot|can not|won't|will not|am unable to|unable to|not able to|must decline|decline to|"
    r"not comfortable|not allowed to|not permitted to)(?: to| with)? "
    r"(?:help|assist|provide|comply|do that|do this|fulfil|create|write|answer|discuss|support|generate|share|engage|"
    r"continue|give|offer|complete|access|browse|open|view|see|translate|participate|recommend|that|this|your|creat)"
    r"|\bas an? (?:ai|artificial intelligence)(?: language model| assistant)?,? i(?:'m| am)? "
    r"(?:can't|cannot|don't|do not|not|unable|won't|have no)"
    r"|\b(?:sorry|apologi[sz]e),? (?:but )?"
    r"(?:i (?:can't|cannot|won't|am unable|must decline)|this request|that request)"
    r"|\bagainst (?:my|our) (?:guidelines|policy|policies|programming|principles)"
)
_OTHERS = (
    r"\bich kann (?:dir|ihnen|dabei|das|dies\w*|leider|hierbei|diese anfrage)\b.{0,40}\b(?:nicht|kein\w*)\b"
    r"|\btut mir (?:sehr )?leid,? (?:aber )?.{0,40}\b(?:nicht|kein\w*)\b"
    r"|\bje ne (?:peux|suis) pas (?:vous|t'|répondre|aider|fournir|faire|créer|en mesure)"
    r"|\bdésolée?,? (?:mais )?je ne (?:peux|suis|saurais)"
    r"|\bno puedo (?:ayudar|proporcionar|asistir|cumplir|responder|hacer eso|crear|generar)|\blo siento,? (?:pero )?no "
    r"|(?:抱歉|对不起|不好意思).{0,12}(?:不能|无法|不可以)|我(?:无法|不能)(?:提供|协助|帮助|回答|满足|完成|为您)"
    r"|申し訳.{0,12}(?:できません|できかねます|お答え)|(?:お手伝い|お答え|提供|対応|回答)(?:する?こと)?(?:は|が)?できません"
)
REFUSAL = re.compile(f"{_ENGLISH}|{_OTHERS}", re.IGNORECASE)

REFUSING = (
    *("refus", "apolog", "declin", "reject", "turn down", "sorry", "ablehn", "absage", "entschuldig", "désol"),
    *("rechaz", "disculp", "拒绝", "道歉", "抱歉", "断り", "謝罪", "申し訳"),
)
"""A prompt with one of these may well want an answer that reads like a refusal."""

UNSURE = Phrases(
    "i'm_not_sure i_am_not_sure not_entirely_sure not_completely_sure not_quite_sure not_certain i_don't_know "
    "i_do_not_know might_be_wrong may_be_wrong could_be_wrong might_be_mistaken may_be_mistaken could_be_mistaken "
    "not_confident unsure hard_to_say i_guess can't_verify cannot_verify cannot_determine can't_determine "
    "cannot_be_determined not_enough_information grain_of_salt double-check_this if_i_recall as_far_as_i_know "
    "best_of_my_knowledge i_have_no_idea don't_quote_me just_a_guess none_of_the_options none_of_the_given "
    "nicht_sicher weiß_nicht weiss_nicht falsch_sein keine_ahnung mir_unsicher irren_könnte kann_mich_irren "
    "pas_sûr pas_sûre ne_sais_pas me_tromper pas_certain pas_certaine aucune_idée "
    "no_estoy_seguro no_estoy_segura no_sé estar_equivocado puedo_equivocarme no_tengo_idea"
)
UNSURE_CJK = (
    *("不确定", "不太确定", "我不知道", "可能不对", "可能有误", "不清楚", "没有把握"),
    *("わかりません", "分かりません", "自信がありません", "確かではありません", "間違っているかも", "確信が持て"),
)
GUARDED = Phrases(
    "maybe perhaps possibly probably might could_be may_be likely seems apparently presumably i_think i_believe "
    "it_appears vielleicht möglicherweise wahrscheinlich könnte vermutlich eventuell womöglich "
    "peut-être probablement pourrait il_semble sans_doute quizás quizá tal_vez probablemente podría parece_que"
)
GUARDED_CJK = ("也许", "或许", "大概", "可能是", "かもしれません", "たぶん", "おそらく", "と思います")
TAKEN_BACK = Phrases(
    "wait_no no_wait actually_that's_wrong actually_that_is_wrong that's_not_right that_is_not_right let_me_correct "
    "let_me_re-check let_me_recheck let_me_redo let_me_reconsider let_me_recalculate let_me_re-evaluate scratch_that "
    "i_made_a_mistake i_made_an_error on_second_thought i_misspoke my_mistake oops correction "
    "actually_that_was_wrong i_was_wrong there_seems_to_be_a_mistake does_not_match_any not_match_any_of "
    "moment_nein nein_das_stimmt_nicht ich_korrigiere ich_habe_mich_geirrt korrektur "
    "attendez_non en_fait_c'est_faux je_corrige je_me_suis_trompé je_me_suis_trompée "
    "espera_no en_realidad_eso_es_incorrecto me_equivoqué corrijo"
)
TAKEN_BACK_CJK = (
    *("等等，不对", "等一下，不对", "不对，应该", "更正：", "我错了"),
    *("いや、違", "訂正します", "間違えました"),
)
