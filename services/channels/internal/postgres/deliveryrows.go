package postgres

import (
	"time"

	"github.com/knobot/knobot/services/channels"
)

// deliveryRow is the head of a delivery.
type deliveryRow struct {
	RequestID      string             `db:"request_id"`
	IntegrationID  string             `db:"integration_id"`
	Platform       string             `db:"platform"`
	Recipient      string             `db:"recipient"`
	Fingerprint    []byte             `db:"fingerprint"`
	Template       *channels.Template `db:"template"`
	MaybeDuplicate bool               `db:"maybe_duplicate"`
	LeaseToken     string             `db:"lease_token"`
	LeaseUntil     *time.Time         `db:"lease_until"`
	Now            time.Time          `db:"now"`
}

// partRow is one part of a delivery.
type partRow struct {
	Content      *contentRow `db:"content"`
	Phase        string      `db:"phase"`
	Try          int         `db:"try"`
	TryTime      *time.Time  `db:"try_time"`
	Doubts       int         `db:"doubts"`
	LateFailures int         `db:"late_failures"`
	MessageID    string      `db:"message_id"`
	State        int         `db:"state"`
	ErrorCode    int         `db:"error_code"`
	ErrorMessage string      `db:"error_message"`
	Billable     bool        `db:"billable"`
	Model        string      `db:"pricing_model"`
	Type         string      `db:"pricing_type"`
	Category     string      `db:"pricing_category"`
}

// contentRow is the JSON of the content column.
type contentRow struct {
	Text    string        `json:"text"`
	Plain   string        `json:"plain,omitempty"`
	Buttons [][]buttonRow `json:"buttons,omitempty"`
	// Attachment is missing in rows from before there were any.
	Attachment *channels.Attachment `json:"attachment,omitempty"`
}

type buttonRow struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// newContentRow returns nil for a part that needs no sending any more: what was said is not kept here.
func newContentRow(p channels.DeliveryPart) *contentRow {
	attachment := p.Content.Attachment
	if p.Content.Text == "" && p.Content.Buttons == nil && attachment == (channels.Attachment{}) {
		return nil
	}
	r := contentRow{Text: p.Content.Text, Plain: p.Content.Plain}
	if attachment != (channels.Attachment{}) {
		r.Attachment = &attachment
	}
	for _, row := range p.Content.Buttons {
		buttons := make([]buttonRow, len(row))
		for n, b := range row {
			buttons[n] = buttonRow(b)
		}
		r.Buttons = append(r.Buttons, buttons)
	}
	return &r
}

func (r *contentRow) part() channels.Part {
	if r == nil {
		return channels.Part{}
	}
	p := channels.Part{Text: r.Text, Plain: r.Plain}
	if r.Attachment != nil {
		p.Attachment = *r.Attachment
	}
	for _, row := range r.Buttons {
		buttons := make([]channels.Button, len(row))
		for n, b := range row {
			buttons[n] = channels.Button(b)
		}
		p.Buttons = append(p.Buttons, buttons)
	}
	return p
}

func (r deliveryRow) delivery(parts []partRow) channels.Delivery {
	d := channels.Delivery{
		RequestID: r.RequestID, IntegrationID: r.IntegrationID, Platform: channels.Platform(r.Platform),
		Recipient: r.Recipient, Fingerprint: r.Fingerprint,
		Template: r.Template, MaybeDuplicate: r.MaybeDuplicate,
		Lease: channels.Lease{Token: r.LeaseToken, Until: timeOrZero(r.LeaseUntil)},
	}
	for _, p := range parts {
		d.Parts = append(d.Parts, channels.DeliveryPart{
			Content: p.Content.part(),
			Progress: channels.Progress{
				Phase: channels.Phase(p.Phase), Try: p.Try, TryTime: timeOrZero(p.TryTime), Doubts: p.Doubts,
				LateFailures: p.LateFailures, MessageID: p.MessageID,
				State: channels.DeliveryState(p.State), ErrorCode: p.ErrorCode, ErrorMessage: p.ErrorMessage,
				Pricing: channels.Pricing{Billable: p.Billable, Model: p.Model, Type: p.Type, Category: p.Category},
			},
		})
	}
	return d
}
