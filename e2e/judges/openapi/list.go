// Command openapi lists webhook logs by means of a client that oapi-codegen made of the OpenAPI document. That client is
// written beside this file when the judges run, and is not kept.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	_ "github.com/oapi-codegen/runtime" // what the client stands on
)

func main() {
	if err := run(context.Background(), os.Getenv("API_URL"), os.Getenv("API_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run prints all pages as one list, two logs a page.
func run(ctx context.Context, url, key string) error {
	client, err := NewClientWithResponses(url, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	}))
	if err != nil {
		return err
	}
	var (
		size int32 = 2
		page string
		all  = []KnobotConversationV1WebhookLog{}
	)
	for {
		answer, err := client.WebhookLogServiceListWebhookLogsWithResponse(ctx, &WebhookLogServiceListWebhookLogsParams{PageSize: &size, PageToken: &page})
		if err != nil {
			return err
		}
		if answer.JSON200 == nil {
			return fmt.Errorf("status %d: %s", answer.StatusCode(), answer.Body)
		}
		all = append(all, *answer.JSON200.WebhookLogs...)
		if page = *answer.JSON200.NextPageToken; page == "" {
			return json.NewEncoder(os.Stdout).Encode(all)
		}
	}
}
