"""The names that public datasets and tools give to prompts, answers and speakers."""

import pytest

from bedrock_tuning.dataset.talks.names import ANSWERS, PROMPTS, ROLES, SYSTEM
from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Turn

Q, A = "What is a dog?", "An animal."
ASKED = (Turn(role="user", text=Q), Turn(role="assistant", text=A))


@pytest.mark.parametrize(
    ("asks", "answers"),
    [
        ("user", "assistant"),
        ("human", "gpt"),
        ("human", "chatgpt"),
        ("human", "bing"),
        ("human", "bard"),
        ("prompter", "assistant"),
        ("customer", "agent"),
        ("person", "bot"),
        ("user", "model"),
        ("user", "ai"),
        ("Human", "Chatbot"),
    ],
)
def test_both_sides_of_a_conversation_are_known_by_any_of_their_names(
    asks: str, answers: str
) -> None:
    assert ROLES[asks.lower()] == "user"
    known = read_talk({"messages": [{"role": asks, "content": Q}, {"role": answers, "content": A}]})
    assert known is not None
    assert known.talk.turns == ASKED
    assert known.talk.lost == ()


@pytest.mark.parametrize(
    "name", ["system", "system_prompt", "systemPrompt", "system_message", "systemMessage"]
)
def test_a_system_prompt_beside_the_turns_is_known_by_any_of_its_names(name: str) -> None:
    known = read_talk({name: "Be brief.", "question": Q, "response": A})
    assert known is not None
    assert known.talk.system == "Be brief."
    assert known.talk.turns == ASKED


@pytest.mark.parametrize("name", ["system", "developer"])
def test_what_a_system_or_developer_says_is_the_system_prompt(name: str) -> None:
    assert name in SYSTEM
    said = [{"role": name, "content": "Be brief."}]
    asked = [{"role": "user", "content": Q}, {"role": "assistant", "content": A}]
    known = read_talk({"messages": said + asked})
    assert known is not None
    assert (known.talk.system, known.talk.turns) == ("Be brief.", ASKED)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("prompt", "completion"),
        ("instruction", "response"),
        ("question", "answer"),
        ("question", "answers"),
        ("inputText", "output_text"),
        ("input_text", "target"),
        ("text_input", "output"),
        ("inputs", "targets"),
        ("input", "label"),
        ("source", "labels"),
        ("user", "assistant"),
        ("human", "gpt"),
        ("article", "highlights"),
        ("document", "summary"),
        ("context", "answer"),
        ("query", "text"),
        ("text", "reply"),
        ("user_input", "bot_response"),
        ("request", "reference_answer"),
        ("q", "a"),
        ("frage", "antwort"),
        ("pregunta", "respuesta"),
        ("domanda", "risposta"),
        ("pergunta", "resposta"),
        ("question", "réponse"),
        ("Question", "Reponse"),
    ],
)
def test_a_prompt_and_its_answer_are_known_by_any_of_their_names(prompt: str, answer: str) -> None:
    assert prompt.lower() in map(str.lower, PROMPTS)
    assert answer.lower() in map(str.lower, ANSWERS)
    known = read_talk({prompt: Q, answer: A})
    assert known is not None
    assert known.talk.turns == ASKED


@pytest.mark.parametrize(
    "name",
    ["conversations", "messages", "dialog", "dialogue", "conversation", "chat", "turns"],
)
def test_a_conversation_stands_under_any_of_its_names(name: str) -> None:
    known = read_talk({name: [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]})
    assert known is not None
    assert (known.form, known.talk.turns) == ("conversations", ASKED)


@pytest.mark.parametrize("name", ["text", "content", "input", "document", "body"])
def test_a_document_stands_under_any_of_its_names(name: str) -> None:
    known = read_talk({name: A, "split": "train", "set": "a", "subset": "b", "more": "c"})
    assert known is not None
    assert (known.talk.document, known.talk.turns, known.talk.lost) == (A, (), ("more",))


@pytest.mark.parametrize("name", ["modelInput", "body", "request"])
def test_a_request_to_a_model_holds_what_was_asked(name: str) -> None:
    known = read_talk({name: {"prompt": Q, "completion": A, "top_p": 1}, "recordId": "1"})
    assert known is not None
    assert (known.form, known.talk.turns) == ("requests to a model", ASKED)
    assert known.talk.lost == ("top_p", "recordId")


@pytest.mark.parametrize(
    ("holds", "beside"),
    [
        ("completion", "label"),
        ("response", "reference_answer"),
        ("summary", "labels"),
        ("output", "text"),
        ("targets", "text"),
    ],
)
def test_of_two_names_of_answers_the_more_telling_one_holds(holds: str, beside: str) -> None:
    read = read_talk({"prompt": Q, beside: "no answer", holds: A})
    assert read is not None
    assert read.talk.turns == ASKED
