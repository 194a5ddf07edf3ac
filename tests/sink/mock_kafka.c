// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * librdkafka's mock cluster as a program: three brokers with the port numbers that it prints.
 * Standard input has commands, each is answered by a line:
 *
 *	topic NAME PARTITIONS     make a topic
 *	topic_error NAME CODE     the topic has an error (0: none)
 *	errors API CODE COUNT     the next COUNT answers to requests of an API (0: Produce) are this error
 *	down BROKER, up BROKER    1 to 3
 *	rtt BROKER MS             its answers take so long
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define BROKERS 3

static void obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
	char word[32], name[250];
	int a = 0, b = 0, c = 0;

	if (sscanf(line, "%31s", word) != 1)
		return;
	if (!strcmp(word, "topic") && sscanf(line, "%*s %249s %d", name, &a) == 2)
		rd_kafka_mock_topic_create(cluster, name, a, 1);
	else if (!strcmp(word, "topic_error") && sscanf(line, "%*s %249s %d", name, &a) == 2)
		rd_kafka_mock_topic_set_error(cluster, name, (rd_kafka_resp_err_t)a);
	else if (!strcmp(word, "errors") && sscanf(line, "%*s %d %d %d", &a, &b, &c) == 3)
		for (; c > 0; c--)
			rd_kafka_mock_push_request_errors(cluster, (int16_t)a, 1, b);
	else if (!strcmp(word, "down") && sscanf(line, "%*s %d", &a) == 1)
		rd_kafka_mock_broker_set_down(cluster, a);
	else if (!strcmp(word, "up") && sscanf(line, "%*s %d", &a) == 1)
		rd_kafka_mock_broker_set_up(cluster, a);
	else if (!strcmp(word, "rtt") && sscanf(line, "%*s %d %d", &a, &b) == 2)
		rd_kafka_mock_broker_set_rtt(cluster, a, b);
	else
		exit(2);
	puts("done");
	fflush(stdout);
}

int main(void)
{
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, NULL, 0);
	rd_kafka_mock_cluster_t *cluster = rk ? rd_kafka_mock_cluster_new(rk, BROKERS) : NULL;
	char line[512];

	if (!cluster)
		return 1;
	puts(rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(cluster, line);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	return 0;
}
