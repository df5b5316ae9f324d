"""The names that people give to prompts, answers and speakers, the usual ones first."""

from collections.abc import Mapping
from typing import Final

from bedrock_tuning.dataset.talks.talk import Speaker
from bedrock_tuning.wording import word_list

ROLES: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(("user", "human", "prompter", "customer", "person"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard", "ai", "chatbot", "agent"),
        "assistant",
    ),
}
SYSTEM: Final = ("system", "developer")
# What stands beside the turns, and is a turn's reasoning beside its content.
SYSTEMS: Final = ("system", "system_prompt", "systemPrompt", "system_message", "systemMessage")
THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking", "chain_of_thought", "cot")
PROMPTS: Final = word_list(
    "prompt instruction question query problem inputText input_text text_input input user human",
    "article document text source context inputs_pretokenized inputs dialogue user_input",
    "user_prompt request q frage pregunta domanda pergunta vraag fråga pytanie otázka soru",
    "вопрос 質問 问题 問題 提问 질문 سؤال प्रश्न",
)
# What is asked where nothing answers: texts under other names may be documents.
ASKED: Final = word_list("prompt instruction question query inputText user_input user_prompt")
ANSWERS: Final = word_list(
    "completion response answer answers output output_text expected_output expectedOutput target",
    "assistant solution canonical_solution summary highlights",
    "label labels class reference_answer gpt targets_pretokenized targets referenceResponse",
    "bot_response model_answer model_response reply a antwort respuesta réponse reponse risposta",
    "resposta antwoord svar odpowiedź odpověď cevap yanıt ответ 回答 答案 答え 답변 جواب उत्तर",
    "text",
)
# What a question is about.
CONTEXTS: Final = ("context", "passage", "background")
# What a grader wants to hear of the turns beside it.
EXPECTED: Final = ("reference_answer", "answer", "ground_truth", "expected_output", "solution")
DOCUMENTS: Final = ("text", "content", "input", "document", "body")
TALKS: Final = (
    "conversations",
    "messages",
    "dialog",
    "dialogue",
    "conversation",
    "chat",
    "turns",
    "chat_messages",
)
# Records that hold another one, as requests to a service do.
WRAPPERS: Final = ("modelInput", "body", "request", "params")
# Records of which one part holds what is asked, and another the answer.
SIDES: Final = (
    *(("inputs", "outputs"), ("input", "output")),
    *(("input", "expected_output"), ("input", "expectedOutput")),
)
SPLITS: Final = ("split", "set", "subset")
