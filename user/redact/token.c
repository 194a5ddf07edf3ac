// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "token.h"

#include <string.h>

#include "ascii.h"

/* What the issuers document so that leaked ones can be found. */
static const char *const prefixes[] = {
	"ghp_",   "gho_",     "ghu_",     "ghs_",     "ghr_",  "github_pat_", /* GitHub */
	"glpat-", "gldt-",    "glrt-",                                        /* GitLab */
	"xoxb-",  "xoxp-",    "xoxa-",    "xoxr-",    "xapp-",                /* Slack */
	"sk-",    "sk_live_", "rk_live_", "sk_test_",                         /* OpenAI, Stripe */
	"hvs.",   "hvb.",                                                     /* Vault */
	"npm_",   "pypi-",    "hf_",      "dop_v1_",  "AIza",  "ya29.",
	"SG.",    "eyJ", /* {" in Base64: a JSON Web Token */
};

/* Characters behind the prefix: what is shorter is no token. */
#define REST_MIN 12

static bool is_token_char(uint8_t c)
{
	return ascii__is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '=';
}

bool token__can_start(uint8_t c)
{
	return c && strchr("gxsrhnpdAySe", c);
}

size_t token__length(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n, end;

		if (!len || *s != (uint8_t)*prefixes[i])
			continue;
		n = end = strlen(prefixes[i]);
		if (len < n || memcmp(s, prefixes[i], n))
			continue;
		while (end < len && is_token_char(s[end]))
			end++;
		if (end - n >= REST_MIN)
			return end;
	}
	return 0;
}
