// Cutting batches out of an encoded task: the distinct sentences of a batch, renumbered, with the memories of each
// example, latest first. Beside it the inner products of contexts with what they choose among.

#include <algorithm>
#include <cstdint>

using index_t = int64_t;

extern "C" {

// How much room a batch needs: slots = the longest example's memories (at least 1), entries = all examples' memories.
// False if the task, of so many examples, lacks one of them.
bool measure(index_t batch, index_t of, const index_t *examples, const index_t *start, const index_t *end,
             index_t limit, index_t *slots, index_t *entries) {
    *slots = 1;
    *entries = 0;
    for (index_t b = 0; b < batch; ++b) {
        if (examples[b] < 0 || examples[b] >= of) return false;
        const index_t length = std::min(end[examples[b]] - start[examples[b]], limit);
        *slots = std::max(*slots, length);
        *entries += std::max<index_t>(length, 1);
    }
    return true;
}

// Fills spoken (2 x batch: utterances, responses) and memories (batch x slots; -1 for none) with numbers of the
// batch's own sentences, distinct with their numbers in the task, and targets with the task's. marks has a place for
// each of the task's sentences, whatever is in it. An example without memories has the empty sentence, number 0. Also
// fills each example's distinct memories with their counts, offsets[b] to offsets[b + 1]. Returns the number of
// distinct sentences; totals gets the number of their words and that of the entries.
index_t assemble(index_t batch, index_t slots, index_t limit, index_t task_sentences, const index_t *examples,
                 const index_t *task_spoken, const index_t *task_memories, const index_t *start, const index_t *end,
                 const index_t *task_targets, const index_t *task_offsets, index_t *marks, index_t *spoken,
                 index_t *memories, index_t *targets, index_t *offsets, index_t *sentences, index_t *counts,
                 index_t *distinct, index_t *totals) {
    index_t known = 0, entry = 0;
    std::fill(marks, marks + task_sentences, -1);
    auto number = [&](index_t sentence) {
        if (marks[sentence] < 0) {
            marks[sentence] = known;
            distinct[known++] = sentence;
        }
        return marks[sentence];
    };
    for (index_t b = 0; b < batch; ++b) {
        const index_t example = examples[b], last = end[example];
        const index_t length = std::min(last - start[example], limit);
        targets[b] = task_targets[example];
        spoken[b] = number(task_spoken[2 * example]);
        spoken[batch + b] = number(task_spoken[2 * example + 1]);
        index_t *mine = memories + b * slots;
        for (index_t slot = 0; slot < slots; ++slot)
            mine[slot] = slot < length ? number(task_memories[last - 1 - slot]) : -1;
        if (length <= 0) mine[0] = number(0);
    }
    totals[0] = 0;
    for (index_t s = 0; s < known; ++s) {
        totals[0] += task_offsets[distinct[s] + 1] - task_offsets[distinct[s]];
        marks[distinct[s]] = -1;
    }
    // marks are all -1 again; its first places now tell where in the example's entries a sentence stands
    offsets[0] = 0;
    for (index_t b = 0; b < batch; ++b) {
        const index_t *mine = memories + b * slots;
        for (index_t slot = 0; slot < slots && mine[slot] >= 0; ++slot) {
            index_t &place = marks[mine[slot]];
            if (place < 0) {
                place = entry;
                sentences[entry] = mine[slot];
                counts[entry++] = 0;
            }
            ++counts[place];
        }
        for (index_t j = offsets[b]; j < entry; ++j) marks[sentences[j]] = -1;
        offsets[b + 1] = entry;
    }
    totals[1] = entry;
    return known;
}

// The words of some sentences of a table, one sentence after the other.
void select_words(index_t sentences, const index_t *chosen, const index_t *task_words, const index_t *task_offsets,
                  index_t *words, index_t *offsets) {
    index_t place = 0;
    for (index_t s = 0; s < sentences; ++s) {
        offsets[s] = place;
        for (index_t w = task_offsets[chosen[s]]; w < task_offsets[chosen[s] + 1]; ++w) words[place++] = task_words[w];
    }
    offsets[sentences] = place;
}

// The inner products of each state (batch x dim) with its choices, rows by their numbers (batch x most). Four rows at a
// time, as they lie far apart and have to be waited for.
void inner_products(index_t batch, index_t most, index_t dim, const float *states, const float *rows,
                    const index_t *numbers, float *products) {
    for (index_t b = 0; b < batch; ++b, numbers += most, products += most) {
        const float *state = states + b * dim;
        index_t j = 0;
        for (; j + 4 <= most; j += 4) {
            const float *first = rows + numbers[j] * dim, *second = rows + numbers[j + 1] * dim;
            const float *third = rows + numbers[j + 2] * dim, *fourth = rows + numbers[j + 3] * dim;
            float sums[4] = {};
            for (index_t d = 0; d < dim; ++d) {
                sums[0] += state[d] * first[d];
                sums[1] += state[d] * second[d];
                sums[2] += state[d] * third[d];
                sums[3] += state[d] * fourth[d];
            }
            std::copy(sums, sums + 4, products + j);
        }
        for (; j < most; ++j) {
            const float *row = rows + numbers[j] * dim;
            float sum = 0;
            for (index_t d = 0; d < dim; ++d) sum += state[d] * row[d];
            products[j] = sum;
        }
    }
}

}  // extern "C"
