"""Dialog files in shapes that no writer writes, as seeds."""

from __future__ import annotations

RASA = b"""rules:
- rule: a
  condition: [{active_loop: form}, {slot_was_set: {city: rome}}]
  wait_for_user_input: false
  steps: [{intent: faq/ask}, {action: utter_faq}, {action: form}, {active_loop: null}]
stories:
- story: b
  metadata: {x: y}
  steps:
  - or: [{intent: yes, entities: [{city: Rome, role: from}, size, {n: [1, 2]}]}, {intent: no}]
  - checkpoint: c
    slot_was_set: [kind: [a, b], d, {e: {f: g}}]
  - user: "in [Rome](city)"
    intent: inform
  - bot: hi
responses:
  utter_faq/ask:
  - condition: [{type: slot, name: a, value: b}]
    text: one
  - text: two
    buttons: [{title: x, payload: /y}]
  - just text
nlu:
- intent: yes
  examples: |
    - yes
"""
JOINED = b"""stories:
- {story: a, steps: [{user: hi}, {bot: yes}, {checkpoint: x}]}
- {story: b, steps: [{checkpoint: x, slot_was_set: [n: 1]}, or: [{intent: a}, {intent: b}], {bot: z}, checkpoint: y]}
- {story: c, steps: [{checkpoint: x}, {checkpoint: y}, {user: so}, {bot: bye}, {checkpoint: x}]}
"""
ALTERNATING = b"""Dialogue ID;Turn ID;Speaker;Utterance;action;Facts
a;1;user;hi;;
b;1;user;"good; day";;inn R_price cheap
a;2;bot;hello;greet(name) bye;
b;2;bot;yes;;
a;2024-01-01T10:00:00Z;bot;no;;
"""
EXPORTED = b"""conversation_id,role,content,tool_calls,tool_call_id,name
1,system,be kind,,,
1,user,hi,nan,,
1,assistant,,"[{""id"": ""c"", ""function"": {""name"": ""f"", ""arguments"": ""{}""}}]",,
1,tool,"{""a"": [{""b"": 1}]}",,c,f
1,assistant,yes,null,,
2,system,be kind,,,
2,user,"[{""type"": ""text"", ""text"": ""hi""}, {""type"": ""image""}]",,,
2,AI,no,"[{'name': 'g', 'arguments': {}}]",,
"""
NOTED = b"""Ticket ID;Author Type;Comment Body;Public;part_type
1;end-user;hi;true;comment
1;agent;sly;false;note
1;agent;hello;true;
"""
MARKED = b"""id,text
1,"<|user|>
hi</s><|assistant|>
yes</s>"
2,USER: so ASSISTANT: no</s>
"""
EXAMPLES = b"session\tinstruction\tinput\toutput\tsystem\n1\tname it\t\tRome\tbe kind\n1\ta\tb\tc\t\n"
MESSAGES = b"""id;messages;split
1;"[{""role"": ""user"", ""content"": ""hi""}, {""role"": ""assistant"", ""content"": ""yes""}]";train
2;"[{'from': 'human', 'value': None}, {'from': 'gpt', 'value': 'no'}]";test
"""
UTTERANCES = b"""{"dialog": 1, "turn": 0, "speaker": "user", "text": "hi"}
{"dialog": 2, "turn": 0, "speaker": "user", "text": "so", "split": "test"}
{"dialog": 1, "turn": 1, "speaker": "bot", "text": "yes", "action": "greet(name)", "weight": 0.5}
{"dialog": 2, "turn": 1.5, "speaker": "bot", "text": "no", "facts": null, "late": [1]}
{"dialog": 3, "turn": 0, "speaker": "user", "text": [{"type": "text", "text": "hi"}]}
{"dialog": 3, "turn": 1, "speaker": "bot", "text": null, "tool_calls": [{"name": "f", "arguments": "{}"}]}
{"dialog": 3, "turn": 2, "speaker": "tool", "text": {"a": 1}}
"""
LISTED = b'[{"session": "a", "from": "user", "message": "hi"},\n {"session": "a", "from": "bot", "message": "yes"}]'
PAGE = b"""---
license: mit
configs:
- config_name: default
  data_files:
  - split: train
    path: [data/t-*, "x.jsonl"]
  - {split: test_sft, path: data/**}
- config_name: other
  data_dir: data
  default: true
  data_files: {dev: t-0.jsonl}
---
# A data set
"""
NUMBERED = rb"""1 your persona: i like cats.
2 inn R_price cheap
3 hello	hi|hello	0.5	a|hi
1 a\nb	c	0
2 ...	d\ne		f
"""
TEXT = b"""text:a\\nHotels {"n": "1"}\\nhi\tlabels:x|y\tlabel_candidates:x|z\treward:1\tepisode_done:False
text:__SILENCE__\teval_labels:b__PIPE__\taction:[{"act": "a b", "slot": "c"}]\tepisode_done:True
"""
CONVERSATIONS = b"".join(
    (
        b'{"dialog": [[{"id": "a", "text": "hi"}, {"id": "b", "text": "yes", "label_candidates": ["yes", "no"], ',
        b'"action": "x(y)", "slots": [{"slot": "s", "start": 0, "end": 2}]}], ',
        b'[{"id": "context", "text": "inn R_a b"}]], "context": [{"id": "context", "text": "profile: male young"}]}',
    )
)
SHAPES = {
    "rasa": (RASA, JOINED),
    "csv": (ALTERNATING, EXAMPLES, MESSAGES, EXPORTED, MARKED, NOTED),
    "json-rows": (UTTERANCES, LISTED),
    "fbdialog": (NUMBERED,),
    "parlai": (TEXT,),
    "parlai-jsonl": (CONVERSATIONS,),
}
"""Seeds by format."""
