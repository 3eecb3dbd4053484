// Command scale simulates many WhatsApp numbers at their full rate on several databases, with the costs that make bench has
// measured, and prints what each layer needs and how long an acknowledgement waits. It is for docs/architecture/scale.md: nothing
// of KnoBot runs.
package main

import (
	"flag"
	"fmt"
	"time"
)

// costs are processor times of one webhook or one answer, on the machine that make bench ran on.
type costs struct {
	gateway, intake, intakeDatabase                    time.Duration // of a webhook
	conversation, channels, rag, answerDatabase, index time.Duration // of an answer
}

func main() {
	p := plan{}
	flag.IntVar(&p.numbers, "numbers", 1000, "WhatsApp numbers")
	flag.Float64Var(&p.rate, "rate", 80, "messages a second of a number, in and out together")
	flag.Float64Var(&p.webhooksPerQuestion, "webhooks", 4, "webhooks for each question: the message and three statuses of the answer")
	flag.IntVar(&p.cores, "cores", 16, "cores of a database server")
	flag.DurationVar(&p.commit, "commit", 1500*time.Microsecond, "what a commit takes beyond its rows, waiting for the disk")
	flag.DurationVar(&p.length, "length", 20*time.Second, "simulated time")
	flag.DurationVar(&p.costs.gateway, "gateway", 220*time.Microsecond, "gateway, for a webhook")
	flag.DurationVar(&p.costs.intake, "intake", 180*time.Microsecond, "conversation, for a webhook")
	flag.DurationVar(&p.costs.intakeDatabase, "intake-database", 200*time.Microsecond, "PostgreSQL, for a webhook")
	flag.DurationVar(&p.costs.conversation, "conversation", 1500*time.Microsecond, "conversation, for an answer")
	flag.DurationVar(&p.costs.channels, "channels", 1400*time.Microsecond, "channels, for an answer")
	flag.DurationVar(&p.costs.rag, "rag", 2800*time.Microsecond, "rag, for an answer")
	flag.DurationVar(&p.costs.answerDatabase, "answer-database", 3*time.Millisecond, "PostgreSQL, for an answer")
	flag.DurationVar(&p.costs.index, "index", 5600*time.Microsecond, "Weaviate, for an answer")
	flag.Parse()

	questions := float64(p.numbers) * p.rate / 2 // each has an answer, which counts too
	webhooks := questions * p.webhooksPerQuestion
	fmt.Printf("%d numbers at %.0f messages a second: %.0f questions and %.0f webhooks a second\n", p.numbers, p.rate, questions, webhooks)
	fmt.Printf("cores at full load: gateway %.0f, conversation %.0f, rag %.0f, channels %.0f, Weaviate %.0f, PostgreSQL %.0f\n",

		cores(webhooks, p.costs.gateway), cores(webhooks, p.costs.intake)+cores(questions, p.costs.conversation),
		cores(questions, p.costs.rag), cores(questions, p.costs.channels), cores(questions, p.costs.index),
		cores(webhooks, p.costs.intakeDatabase)+cores(questions, p.costs.answerDatabase))
	fmt.Printf("%-10s %14s %14s %16s %12s %12s\n", "databases", "mean load", "fullest", "numbers on it", "ack p50", "ack p99")
	for databases := 1; databases <= p.numbers; databases *= 2 {
		r := p.simulate(databases)
		if r.fullest >= 1 {
			fmt.Printf("%-10d %13.0f%% %13.0f%% %16d %12s %12s\n", databases, 100*r.mean, 100*r.fullest, r.numbers, "grows", "grows")
			continue
		}
		fmt.Printf("%-10d %13.0f%% %13.0f%% %16d %12s %12s\n", databases, 100*r.mean, 100*r.fullest, r.numbers, milliseconds(r.p50), milliseconds(r.p99))
		if r.fullest < 0.1 {
			break
		}
	}
}

// cores is how many are busy with something that happens so often.
func cores(perSecond float64, cost time.Duration) float64 { return perSecond * cost.Seconds() }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}
