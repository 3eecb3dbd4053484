package botapi

import (
	"net/http"
	"path"
	"strings"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/media"
)

// maxDownload is the largest file that getFile gives out (Bot API, getFile).
const maxDownload = 20 << 20

// file is a PhotoSize, Document, Voice … as far as they are alike.
type file struct {
	ID       string `json:"file_id"`
	UniqueID string `json:"file_unique_id"`
	Size     int64  `json:"file_size,omitempty"`
	Path     string `json:"file_path,omitempty"`
	Name     string `json:"file_name,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Length   int    `json:"length,omitempty"`
	Duration int    `json:"duration,omitempty"`
}

func fileOf(m simulator.Media) file {
	if m.ID == "" {
		m.ID = linkID(m.Link)
	}
	return file{ID: m.ID, UniqueID: "AgAD" + m.ID, Size: m.Size, Name: m.Filename, MIMEType: m.MIMEType}
}

func (a *API) getFile(b *bot, args arguments) (result, *failure) {
	kept, ok := a.shelf.Get(args.get("file_id"))
	fault, _ := a.desk.Faults.Take(faults.Media, chatOf(b, ""), "getFile", true)
	switch {
	case fault.Kind == simulator.FaultMediaGone:
		return result{}, badRequest("wrong file_id or the file is temporarily unavailable")
	case !ok:
		return result{}, badRequest("invalid file_id")
	case kept.Size > maxDownload:
		return result{}, badRequest("file is too big")
	}
	f := fileOf(kept.Media)
	f.Path = "documents/" + kept.ID + path.Ext(kept.Filename)
	if fault.Kind == simulator.FaultMediaExpired {
		f.Path = "expired/" + path.Base(f.Path)
	}
	return result{value: file{ID: f.ID, UniqueID: f.UniqueID, Size: f.Size, Path: f.Path}}, nil
}

// download answers /file/bot<token>/<path>.
func (a *API) download(w http.ResponseWriter, r *http.Request, token, name string) {
	b, failed := a.authorize(token)
	call := exchange.Call{Chat: simulator.Chat{Platform: simulator.Telegram}, Method: "download"}
	if failed == nil {
		call.Chat = chatOf(b, "")
	}
	a.desk.Serve(w, r, call, refuse, func(simulator.Fault) exchange.Reply {
		kept, ok := a.shelf.Get(strings.TrimSuffix(path.Base(name), path.Ext(name)))
		fault, _ := a.desk.Faults.Take(faults.Media, call.Chat, "download", true)
		missing := fault.Kind == simulator.FaultMediaGone || fault.Kind == simulator.FaultMediaExpired
		if failed != nil || !ok || missing || kept.Size > maxDownload || strings.HasPrefix(name, "expired/") {
			return exchange.NotFound()
		}
		return exchange.File("application/octet-stream", media.Damaged(kept.Content, fault.Kind == simulator.FaultMediaCorrupt))
	})
}

// maxPhoto is the largest photo (Bot API, sendPhoto); other files may be 50 MB,
// more than the simulator keeps.
const maxPhoto = 10 << 20

// sendFile sends a file of a kind: uploaded, by the id of a kept file, or by
// link.
func (a *API) sendFile(kind string) func(*bot, arguments) (result, *failure) {
	return func(b *bot, args arguments) (result, *failure) {
		info, failed := a.reachable(b, args)
		if failed != nil {
			return result{}, failed
		}
		caption, found, failed := text(args, "caption", "caption_entities", maxCaption)
		if failed != nil {
			return result{}, failed
		}
		described, failed := a.fileArgument(kind, args)
		if failed != nil {
			return result{}, failed
		}
		return a.put(b, args, info, simulator.Message{Kind: kind, Text: caption, Entities: found, Media: &described})
	}
}

func (a *API) fileArgument(kind string, args arguments) (simulator.Media, *failure) {
	value := args.get(kind)
	name, attached := strings.CutPrefix(value, "attach://")
	if !attached {
		name = kind
	}
	if up, ok := args.files[name]; ok {
		if len(up.content) == 0 || len(up.content) > media.MaxBytes {
			return simulator.Media{}, badRequest("file must be non-empty")
		}
		if kind == "photo" && len(up.content) > maxPhoto {
			return simulator.Media{}, badRequest("file is too big")
		}
		return a.shelf.Put(up.content, up.mimeType, up.name).Media, nil
	}
	if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
		return simulator.Media{Link: value, Filename: path.Base(value)}, nil
	}
	if kept, ok := a.shelf.Get(value); ok {
		return kept.Media, nil
	}
	return simulator.Media{}, badRequest("wrong file identifier/HTTP URL specified")
}
