package rpcapi

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/rivo/uniseg"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// Limits of a content, as the proto says. Those of lists are WhatsApp's (facebook/openapi of 2025-11, InteractiveObject), in
// UTF-16 code units, which is never less than any other count of characters.
const (
	maxButtons        = 100
	maxButtonID       = 32
	maxRows           = 10
	maxListTitle      = 20
	maxSectionTitle   = 24
	maxRowTitle       = 24
	maxRowDescription = 72
	maxFilename       = 240
	maxURL            = 2048
	maxEmoji          = 64
)

// conflict refuses what does not go together.
func conflict(field, why string) error {
	return fault.Newf(fault.Invalid, "CONTENT_CONFLICT", "%s: %s", field, why)
}

func content(p *channelsv1.Content, to channels.Address) (channels.Content, error) {
	rows, err := buttons(p.GetButtonRows())
	c := channels.Content{Markdown: p.GetText(), Buttons: rows}
	if err != nil {
		return c, err
	}
	switch a := p.GetAttachment().(type) {
	case *channelsv1.Content_Media:
		c.Media, err = outboundMedia("content.media", a.Media)
	case *channelsv1.Content_List:
		c.List, err = list(a.List)
	case *channelsv1.Content_Reaction:
		c.Reaction, err = reaction(a.Reaction, to)
	case *channelsv1.Content_ContactRequest:
		c.ContactRequest, err = contactRequest(a.ContactRequest, to)
	}
	return c, firstError(err, together(c))
}

// together refuses an attachment that no platform shows with what stands beside it.
func together(c channels.Content) error {
	alone := c.Reaction != nil || c.Media != nil && c.Media.Kind == channels.MediaSticker
	switch {
	case alone && strings.TrimSpace(c.Markdown) != "":
		return conflict("content.text", "a reaction or a sticker goes without text")
	case alone && len(c.Buttons) > 0:
		return conflict("content.button_rows", "a reaction or a sticker has no buttons")
	case (c.List != nil || c.ContactRequest != nil) && len(c.Buttons) > 0:
		return conflict("content.button_rows", "a list or a request for the phone number has no other buttons")
	default:
		return nil
	}
}

func buttons(rows []*channelsv1.ButtonRow) ([][]channels.Button, error) {
	var all [][]channels.Button
	count := 0
	for _, row := range rows {
		var r []channels.Button
		for _, b := range row.GetButtons() {
			if err := firstError(ascii("button.id", b.GetId(), 1, maxButtonID), text("button.title", b.GetTitle(), 1, maxID)); err != nil {
				return nil, err
			}
			r = append(r, channels.Button{ID: b.GetId(), Title: b.GetTitle()})
		}
		if count += len(r); count > maxButtons {
			return nil, invalid("button_rows", "at most %d buttons", maxButtons)
		}
		if len(r) > 0 {
			all = append(all, r)
		}
	}
	return all, nil
}

func list(p *channelsv1.List) (*channels.List, error) {
	l := &channels.List{ButtonTitle: p.GetButtonTitle()}
	if err := label("content.list.button_title", l.ButtonTitle, 0, maxListTitle); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range p.GetSections() {
		section, err := section(s, seen, len(p.GetSections()) > 1)
		if err != nil {
			return nil, err
		}
		l.Sections = append(l.Sections, section)
	}
	if len(seen) < 1 || len(seen) > maxRows {
		return nil, invalid("content.list.sections", "1 to %d rows are needed over all sections", maxRows)
	}
	return l, nil
}

// section reads a section; seen are the ids of all rows so far.
func section(p *channelsv1.ListSection, seen map[string]bool, titled bool) (channels.ListSection, error) {
	s := channels.ListSection{Title: p.GetTitle()}
	least := 0
	if titled {
		least = 1
	}
	if err := label("content.list.sections.title", s.Title, least, maxSectionTitle); err != nil {
		return s, err
	}
	for _, r := range p.GetRows() {
		row := channels.ListRow{ID: r.GetId(), Title: r.GetTitle(), Description: r.GetDescription()}
		err := firstError(ascii("content.list.sections.rows.id", row.ID, 1, maxButtonID),
			label("content.list.sections.rows.title", row.Title, 1, maxRowTitle),
			label("content.list.sections.rows.description", row.Description, 0, maxRowDescription))
		switch {
		case err != nil:
			return s, err
		case seen[row.ID]:
			return s, invalid("content.list.sections.rows.id", "each row needs its own")
		}
		seen[row.ID] = true
		s.Rows = append(s.Rows, row)
	}
	if len(s.Rows) == 0 {
		return s, invalid("content.list.sections.rows", "a section needs a row")
	}
	return s, nil
}

func reaction(p *channelsv1.Reaction, to channels.Address) (*channels.Reaction, error) {
	r := &channels.Reaction{MessageID: p.GetMessageId(), Emoji: p.GetEmoji()}
	err := firstError(ascii("content.reaction.message_id", r.MessageID, 1, maxID), text("content.reaction.emoji", r.Emoji, 0, maxEmoji))
	switch {
	case err != nil:
		return nil, err
	case r.Emoji != "" && (uniseg.GraphemeClusterCount(r.Emoji) != 1 || len(r.Emoji) == 1):
		return nil, invalid("content.reaction.emoji", "one emoji is needed")
	case to.Telegram == nil:
		return r, nil
	case to.Telegram.BusinessConnectionID != "": // setMessageReaction has no such parameter (Bot API 10.1)
		return nil, conflict("content.reaction", "Telegram has no reactions for a business connection")
	}
	if id, err := strconv.ParseInt(r.MessageID, 10, 64); err != nil || id < 1 {
		return nil, invalid("content.reaction.message_id", "Telegram's are numbers")
	}
	return r, nil
}

// contactRequest refuses the chats whose customers Telegram shows no such button (Bot API 10.1, KeyboardButton: private chats
// only; ReplyKeyboardMarkup: not on behalf of a business account).
func contactRequest(p *channelsv1.ContactRequest, to channels.Address) (*channels.ContactRequest, error) {
	r := &channels.ContactRequest{ButtonTitle: p.GetButtonTitle()}
	if to.Telegram != nil && (to.Telegram.ID < 0 || to.Telegram.BusinessConnectionID != "") {
		return nil, conflict("content.contact_request", "Telegram asks for phone numbers in private chats with the bot only")
	}
	return r, text("content.contact_request.button_title", r.ButtonTitle, 0, maxID)
}

func outboundMedia(field string, p *channelsv1.OutboundMedia) (*channels.Media, error) {
	kind, err := mediaKind(field, p.GetKind())
	m := &channels.Media{Kind: kind, ID: p.GetMediaId(), URL: p.GetUrl(), Filename: p.GetFilename()}
	switch p.GetSource().(type) {
	case *channelsv1.OutboundMedia_MediaId:
		err = firstError(err, ascii(field+".media_id", m.ID, 1, maxID))
	case *channelsv1.OutboundMedia_Url:
		err = firstError(err, publicURL(field+".url", m.URL))
		if err == nil && kind == "" {
			err = invalid(field+".kind", "is needed with a url")
		}
	default:
		err = firstError(err, invalid(field, "media_id or url is needed"))
	}
	return m, firstError(err, text(field+".filename", m.Filename, 0, maxFilename))
}

func mediaKind(field string, k channelsv1.OutboundMedia_Kind) (channels.MediaKind, error) {
	switch k {
	case channelsv1.OutboundMedia_KIND_UNSPECIFIED:
		return "", nil
	case channelsv1.OutboundMedia_KIND_IMAGE:
		return channels.MediaImage, nil
	case channelsv1.OutboundMedia_KIND_VIDEO:
		return channels.MediaVideo, nil
	case channelsv1.OutboundMedia_KIND_AUDIO:
		return channels.MediaAudio, nil
	case channelsv1.OutboundMedia_KIND_DOCUMENT:
		return channels.MediaDocument, nil
	case channelsv1.OutboundMedia_KIND_STICKER:
		return channels.MediaSticker, nil
	case channelsv1.OutboundMedia_KIND_VOICE:
		return channels.MediaVoice, nil
	default:
		return "", invalid(field+".kind", "unknown")
	}
}

// publicURL takes an address that the platform can fetch: we never do, so this only keeps mistakes and secrets out.
func publicURL(field, address string) error {
	if err := ascii(field, address, 1, maxURL); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || !publicHost(u.Hostname()) {
		return fault.Newf(fault.Invalid, "MEDIA_URL_REFUSED", "%s: a public https address without a user is needed", field)
	}
	return nil
}

func publicHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	for _, suffix := range [...]string{".localhost", ".local", ".internal"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return strings.Contains(name, ".")
}

// label checks a text that the platforms bound, in UTF-16 code units.
func label(field, s string, least, most int) error {
	if n := len(utf16.Encode([]rune(s))); n > most {
		return invalid(field, "has more than %d characters", most)
	}
	return text(field, s, least, 4*most)
}
