// Linear models on rows most of whose numbers are 0, such as images of ink on paper: a perceptron's logits with their
// gradient, and the losses of logistic regression with their first and second derivatives. A row is its columns that are not 0, and their
// values. Scores of the classes are held in lanes of 16, the last ones of no class with the probability 0.
//
// With scores z = W x + b and P = softmax(z), the loss of a row is -log P[y]; for factors c its gradient by z is
// c (P - 1_y), and what a direction with dz = dW x + db makes of that is c P (dz - <P, dz>).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "exponential.hpp"

using real = REAL;
using index_t = int64_t;
constexpr int C = CLASSES, W = 16;
static_assert(C <= W, "classes have to fit into the lanes");
using Lane = Lanes<real, W>::type;

// A number that is not 0: where it stands in its row, and which of the levels it is. As few bytes as it takes, since
// rows are drawn at random, so that most of the time goes into fetching them.
struct Entry {
    uint16_t column, level;
};

// Rows of a table by their numbers: the entries of row r are those from offsets[r] to offsets[r + 1].
struct Rows {
    index_t count, of, width;
    const index_t *numbers, *offsets;
    const Entry *entries;
    const real *levels;

    const Entry *begin(index_t at) const { return entries + offsets[numbers[at]]; }
    const Entry *end(index_t at) const { return entries + offsets[numbers[at] + 1]; }
};

namespace {

// Room that is kept from call to call, for one thread; no function asks for the same one twice. Lanes begin at a cache
// line, as those across two take twice as long.
template <int NAME> Lane *kept(index_t lanes) {
    static thread_local std::vector<Lane> room;
    if (static_cast<index_t>(room.size()) < lanes) room.resize(lanes);
    return room.data();
}

enum { TABLE, SPREAD, CELLS };

// A class a row (null for zeros) to lanes of classes a column.
const Lane *columns_of(const real *weight, index_t width) {
    Lane *table = kept<TABLE>(width);
    for (index_t k = 0; k < width; ++k) {
        Lane column = {};
        if (weight != nullptr)
            for (int c = 0; c < C; ++c) column[c] = weight[c * width + k];
        table[k] = column;
    }
    return table;
}

Lane lanes_of(const real *bias) {
    real values[W] = {};
    if (bias != nullptr) std::memcpy(values, bias, C * sizeof(real));
    return lane(values);
}

// NaN if any of them is.
inline real highest_of(const Lane &scores) {
    real highest = scores[0];
    for (int c = 1; c < C; ++c)
        if (!(scores[c] <= highest)) highest = scores[c];
    return highest;
}

// Four sums side by side, as each addition waits for the one before it.
inline Lane scores_of(const Rows &rows, index_t at, const Lane *table, const Lane &bias) {
    const Entry *e = rows.begin(at), *end = rows.end(at);
    const real *levels = rows.levels;
    Lane a = bias, b = {}, c = {}, d = {};
    for (; e + 4 <= end; e += 4) {
        a += table[e[0].column] * levels[e[0].level];
        b += table[e[1].column] * levels[e[1].level];
        c += table[e[2].column] * levels[e[2].level];
        d += table[e[3].column] * levels[e[3].level];
    }
    for (; e < end; ++e) a += table[e->column] * levels[e->level];
    return (a + b) + (c + d);
}

// weight += cells' rows, bias += cells, summed over the rows; either may be null.
void add_products(const Rows &rows, const Lane *cells, real *weight, real *bias) {
    Lane *table = kept<SPREAD>(rows.width), total = {};
    const real *levels = rows.levels;
    std::fill_n(table, rows.width, total);
    for (index_t i = 0; i < rows.count; ++i) {
        const Lane cell = cells[i];
        total += cell;
        if (weight == nullptr) continue;
        for (const Entry *e = rows.begin(i); e < rows.end(i); ++e) table[e->column] += cell * levels[e->level];
    }
    if (weight != nullptr)
        for (index_t k = 0; k < rows.width; ++k)
            for (int c = 0; c < C; ++c) weight[c * rows.width + k] += table[k][c];
    if (bias != nullptr)
        for (int c = 0; c < C; ++c) bias[c] += total[c];
}

bool known(const Rows &rows) {
    for (index_t i = 0; i < rows.count; ++i)
        if (rows.numbers[i] < 0 || rows.numbers[i] >= rows.of) return false;
    return true;
}

}  // namespace

extern "C" {

// Fills losses, and probabilities (count x 16). False if a row or a target does not exist.
bool forward(const Rows *rows, const real *weight, const real *bias, const index_t *targets, real *probabilities,
             real *losses) {
    if (!known(*rows)) return false;
    const Lane *table = columns_of(weight, rows->width);
    Lane start = lanes_of(bias), share = {};
    for (int c = 0; c < W; ++c) {
        share[c] = c < C;
        if (c >= C) start[c] = -std::numeric_limits<real>::max();
    }
    for (index_t i = 0; i < rows->count; ++i) {
        if (targets[i] < 0 || targets[i] >= C) return false;
        const Lane scores = scores_of(*rows, i, table, start);
        const real highest = highest_of(scores);
        const Lane powers = exponential<real>(scores - highest) * share;
        const real total = sum_of<real, W>(powers);
        put(probabilities + i * W, powers * (1 / total));
        losses[i] = std::log(total) + (highest - scores[targets[i]]);
    }
    return true;
}

// Adds the gradient of the losses times the factors; weight or bias may be null.
void backward(const Rows *rows, const real *probabilities, const index_t *targets, const real *factors, real *weight,
              real *bias) {
    Lane *cells = kept<CELLS>(rows->count);
    for (index_t i = 0; i < rows->count; ++i) {
        cells[i] = lane(probabilities + i * W) * factors[i];
        cells[i][targets[i]] -= factors[i];
    }
    add_products(*rows, cells, weight, bias);
}

// In a direction, of which either part may be null: fills the slopes of the losses, and adds the Hessian-vector product
// with the factors, to which either may be null, or which may be the direction itself.
void second(const Rows *rows, const real *probabilities, const index_t *targets, const real *factors,
            const real *d_weight, const real *d_bias, real *slopes, real *weight, real *bias) {
    const Lane *table = columns_of(d_weight, rows->width);
    const Lane start = lanes_of(d_bias);
    Lane *cells = kept<CELLS>(rows->count);
    for (index_t i = 0; i < rows->count; ++i) {
        const Lane moved = scores_of(*rows, i, table, start), p = lane(probabilities + i * W);
        const real mean = sum_of<real, W>(p * moved);
        slopes[i] = mean - moved[targets[i]];
        cells[i] = p * (moved - mean) * factors[i];
    }
    if (weight != nullptr || bias != nullptr) add_products(*rows, cells, weight, bias);
}

// The logits of a perceptron over row less centre (width; null for zeros), target and indicator (count x 2): its weights
// stand in this order in one vector. False if a row or a target does not exist.
bool logits(const Rows *rows, const index_t *targets, const real *indicator, const real *centre, const real *weight,
            const real *bias, real *out) {
    if (!known(*rows)) return false;
    const real *levels = rows->levels, *of_targets = weight + rows->width, *of_indicator = of_targets + C;
    real common = *bias;
    if (centre != nullptr)
        for (index_t k = 0; k < rows->width; ++k) common -= centre[k] * weight[k];
    for (index_t i = 0; i < rows->count; ++i) {
        if (targets[i] < 0 || targets[i] >= C) return false;
        const Entry *e = rows->begin(i), *end = rows->end(i);
        real a = common + of_targets[targets[i]], b = indicator[2 * i] * of_indicator[0];
        real c = indicator[2 * i + 1] * of_indicator[1], d = 0;
        for (; e + 4 <= end; e += 4) {
            a += weight[e[0].column] * levels[e[0].level];
            b += weight[e[1].column] * levels[e[1].level];
            c += weight[e[2].column] * levels[e[2].level];
            d += weight[e[3].column] * levels[e[3].level];
        }
        for (; e < end; ++e) a += weight[e->column] * levels[e->level];
        out[i] = (a + b) + (c + d);
    }
    return true;
}

// Adds the gradient of the logits times the cotangents.
void logits_backward(const Rows *rows, const index_t *targets, const real *indicator, const real *centre,
                     const real *cotangents, real *weight, real *bias) {
    const real *levels = rows->levels;
    real *of_targets = weight + rows->width, *of_indicator = of_targets + C, total = 0;
    for (index_t i = 0; i < rows->count; ++i) {
        const real mine = cotangents[i];
        for (const Entry *e = rows->begin(i); e < rows->end(i); ++e) weight[e->column] += mine * levels[e->level];
        of_targets[targets[i]] += mine;
        of_indicator[0] += mine * indicator[2 * i];
        of_indicator[1] += mine * indicator[2 * i + 1];
        total += mine;
    }
    if (centre != nullptr)
        for (index_t k = 0; k < rows->width; ++k) weight[k] -= total * centre[k];
    *bias += total;
}
}
