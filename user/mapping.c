// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "mapping.h"

#include "event_mapping.h"

const struct mapping *mapping__of(const struct catalog_event *known)
{
	return &mappings[known ? mapping_first[known->id] : MAPPING_ANY];
}

const char *mapping__attack_version(void)
{
	return MAPPING_ATTACK_VERSION;
}

const char *mapping__ocsf_version(void)
{
	return MAPPING_OCSF_VERSION;
}
