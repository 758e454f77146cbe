/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_PRINT_H
#define TOP_PRINT_H

#include "sample.h"

double per_second(__u64 count, const struct sample *sample);
const char *share_text(const struct counters *delta, enum mode mode, char text[8]);
const char *duration_text(double ns, char text[16]);

void print_text(const struct sample *sample, FILE *out);
void print_json(const struct sample *sample, FILE *out);
void print_csv_head(FILE *out);
void print_csv(const struct sample *sample, FILE *out);

#endif /* TOP_PRINT_H */
