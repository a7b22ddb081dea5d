"""The matching model and its weight module as their formulas read: by example, by member, by choice."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tasksieve.encoding import Batch, Choices, SentenceTable
from tasksieve.encoding.vocabulary import ACTION_NUMBER, STATE_NUMBER, SYSTEM_NUMBER, USER_NUMBER
from tasksieve.metagrad import Params
from tasksieve.records.model_config import MatchingConfig, MatchingWeightConfig


def words_in(table: SentenceTable, number: int) -> list[int]:
    """The words of a sentence, the one that leads it with them."""
    return table.words[table.offsets[number] : table.offsets[number + 1]].tolist()


def offered_to(choices: Choices, row: int) -> list[int]:
    """The numbers of an example's choices."""
    if choices.offered is None:
        return list(range(len(choices.table)))
    return words_in(choices.offered, row)


class Seen:
    """What there is to see of one example.

    Args:
        batch: whose it is.
        row: its place there.
    """

    def __init__(self, batch: Batch, row: int) -> None:
        self.table = batch.table
        self.utterance = int(batch.utterances[row])
        self.memories = [number for number in batch.memories[row].tolist() if number >= 0]

    def led_by(self, *speakers: int) -> list[int]:
        """The memories that one of these words leads, latest first."""
        leads = [(number, words_in(self.table, number)[:1]) for number in self.memories]
        return [number for number, lead in leads if lead and lead[0] in speakers]

    def state(self) -> list[int]:
        """The words of the state."""
        return [word for number in self.led_by(STATE_NUMBER)[:1] for word in words_in(self.table, number)[1:]]

    def vectors(self) -> Tensor:
        """The vector of the last utterance, then the mean of those said before."""
        rows = self.table.vectors
        assert rows is not None
        said = self.led_by(USER_NUMBER, SYSTEM_NUMBER)
        mean = sum((rows[number] for number in said), torch.zeros_like(rows[0])) / max(1, len(said))
        return torch.cat([rows[self.utterance], mean])

    def in_common(self, choice: list[int]) -> Tensor:
        """The share of a choice's distinct words in the last action, in all of them, and whether that is all."""
        actions = [set(words_in(self.table, number)[1:]) for number in self.led_by(ACTION_NUMBER)]
        words = set(choice)
        last = len(words & actions[0]) / len(words) if actions and words else 0.0
        every = len(words & set().union(*actions)) / len(words) if words else 0.0
        return torch.tensor([last, every, float(last > 0.999), float(every > 0.999)], dtype=torch.float64)


class PlainMatching:
    """Losses and scores of the model, and the logits of the weight module.

    Args:
        config: of the model.
        place: of each word, its number among those that choices have; -1 for none.
        weights: of the weight module.
    """

    def __init__(self, config: MatchingConfig, place: Tensor, weights: MatchingWeightConfig) -> None:
        self.config, self.place, self.weight_config = config, place.tolist(), weights

    def losses(self, p: Params, batch: Batch) -> Tensor:
        """The mean of the members' cross-entropies."""
        return torch.stack([self._loss(p, batch, row) for row in range(len(batch))])

    def _loss(self, p: Params, batch: Batch, row: int) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for choices in (batch.choices, batch.entities):
            if choices is None or choices.right[row] < 0:
                continue
            of_members = [self._log_shares(p, batch, row, choices, member) for member in range(self.config.members)]
            total = total - sum(shares[choices.right[row]] for shares in of_members) / self.config.members
        return total

    def scores(self, p: Params, batch: Batch, choices: Choices, row: int) -> Tensor:
        """The logarithm of the mean over members of each choice's probability, of an example's own choices."""
        members = [self._log_shares(p, batch, row, choices, member).exp() for member in range(self.config.members)]
        return torch.log(sum(members[1:], members[0]) / len(members))

    def _log_shares(self, p: Params, batch: Batch, row: int, choices: Choices, member: int) -> Tensor:
        seen, scores = Seen(batch, row), []
        state = self._state(p, seen, member, batch.head == "primary")
        for number in offered_to(choices, row):
            words = words_in(choices.table, number)
            known = [self.place[word] for word in words if self.place[word] >= 0]
            point = sum((self._part(p["chosen"][word], member) for word in known), torch.zeros_like(state))
            if choices.table.vectors is not None:
                point = point + choices.table.vectors[number] @ self._part(p["of_choice"], member)
            score = state @ point + p["overlap"][member] @ seen.in_common(words)
            if seen.table.vectors is not None and self.config.linear:
                own = sum((p["linear"][word] for word in known), torch.zeros_like(p["linear"][0]))
                score = score + self.config.vector_scale * self._vectors(p, seen) @ own
            scores.append(score)
        return torch.log_softmax(torch.stack(scores), 0)

    def _state(self, p: Params, seen: Seen, member: int, primary: bool) -> Tensor:
        spoken, scale = words_in(seen.table, seen.utterance), self.config.word_scale
        if scale is None:
            scale = 1.0 if seen.table.vectors is None else 0.3
        state = self._part(p["bias"], member) + (self._part(p["primary"], member) if primary else 0.0)
        for word in spoken:
            state = state + scale * self._part(p["heard"][word], member) / len(spoken) ** 0.5
        for word in seen.state():
            state = state + self._part(p["heard"][word], member)
        if seen.table.vectors is not None:
            state = state + self.config.vector_scale * self._vectors(p, seen) @ self._part(p["of_context"], member)
        hidden = torch.relu(state @ p["inward"][member] + p["inward_bias"][member, 0])
        return state + hidden @ p["outward"][member]

    def _vectors(self, p: Params, seen: Seen) -> Tensor:
        return seen.vectors()

    def _part(self, value: Tensor, member: int) -> Tensor:
        width = self.config.width
        return value[..., member * width : (member + 1) * width]

    def weights(self, p: Params, batch: Batch) -> Tensor:
        """The weights of examples."""
        return torch.sigmoid(torch.stack(list(self._logits(p, batch))))

    def _logits(self, p: Params, batch: Batch) -> Iterator[Tensor]:
        for row in range(len(batch)):
            seen, response = Seen(batch, row), int(batch.responses[row])
            logit = p["bias"] + sum(p["context"][word, 0] for word in seen.state())
            logit = logit + sum(p["response"][word, 0] for word in words_in(seen.table, response))
            if seen.table.vectors is not None:
                rows = torch.cat([seen.vectors(), seen.table.vectors[response]])
                logit = logit + self.weight_config.vector_scale * rows @ p["vectors"][: len(rows)]
            yield logit
