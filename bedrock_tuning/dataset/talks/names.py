"""The names that people give to prompts, answers and speakers, the usual ones first."""

from collections.abc import Mapping
from typing import Final

from bedrock_tuning.dataset.talks.talk import Role
from bedrock_tuning.wording import word_list

ROLES: Final[Mapping[str, Role]] = {
    **dict.fromkeys(("user", "human", "prompter", "customer", "person"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard", "ai", "chatbot", "agent"),
        "assistant",
    ),
}
SYSTEM: Final = ("system", "developer")
PROMPTS: Final = word_list(
    "prompt instruction question query inputText input_text text_input input source user human",
    "article document text context inputs user_input request q frage pregunta domanda pergunta",
)
ANSWERS: Final = word_list(
    "completion response answer answers output output_text target assistant summary highlights",
    "label labels reference_answer gpt targets bot_response reply a antwort respuesta réponse",
    "reponse risposta resposta text",
)
DOCUMENTS: Final = ("text", "content", "input", "document", "body")
TALKS: Final = ("conversations", "messages", "dialog", "dialogue", "conversation", "chat", "turns")
# Records that hold another one, as requests to a service do.
WRAPPERS: Final = ("modelInput", "body", "request")
SPLITS: Final = ("split", "set", "subset")
