/* lm_family.h -- the families of decoders that are computed here, and what the metadata
 * of a file says about a model of one. Included by lm_file.c alone. */
#ifndef PITH_MODEL_LM_FAMILY_H
#define PITH_MODEL_LM_FAMILY_H

#include "model/lm_file.h"

/* Sets f->arch and f->shape. E_MODEL: another family, or something in the file that would
 * have to be computed otherwise. */
MUST_USE Status lm_family_read(Ctx *cx, LmFile *f);

#endif
