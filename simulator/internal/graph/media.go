package graph

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/exchange"
	"github.com/knobot/knobot/simulator/internal/faults"
	"github.com/knobot/knobot/simulator/internal/media"
)

// linkLife is how long a file's URL works (Meta's media page).
const linkLife = 5 * time.Minute

// limitOf is the largest file of a type that may be uploaded, 0 for a type
// that Meta does not take (Meta's media page, Supported media types).
func limitOf(mimeType string) int64 {
	const mb = 1 << 20
	kind, _, err := mime.ParseMediaType(mimeType)
	if err != nil {
		return 0
	}
	switch kind {
	case "image/jpeg", "image/png":
		return 5 * mb
	case "image/webp": // a sticker
		return 500 << 10
	case "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus", "video/mp4", "video/3gpp":
		return 16 * mb
	case "text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint":
		return 100 * mb
	}
	if strings.HasPrefix(kind, "application/vnd.openxmlformats-officedocument.") {
		return 100 * mb
	}
	return 0
}

// upload answers POST /{phone_number_id}/media.
func (a *API) upload(w http.ResponseWriter, r *http.Request, n simulator.Number) {
	call := exchange.Call{Chat: chatOf(n.ID, ""), Method: "upload"}
	r.Body = http.MaxBytesReader(w, r.Body, media.MaxBytes+maxJSON)
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		if r.FormValue("messaging_product") != "whatsapp" {
			return parameter("The parameter messaging_product is required.").reply()
		}
		part, header, err := r.FormFile("file")
		if err != nil {
			return parameter("The parameter file is required.").reply()
		}
		defer func() { _ = part.Close() }()
		content, err := io.ReadAll(io.LimitReader(part, media.MaxBytes+1))
		if err != nil || len(content) == 0 || len(content) > media.MaxBytes {
			return failureOf(codeMediaUpload).reply()
		}
		mimeType := r.FormValue("type")
		if mimeType == "" {
			mimeType = header.Header.Get("Content-Type")
		}
		switch limit := limitOf(mimeType); {
		case limit == 0:
			return parameter("Param file must be a file with one of the supported types. Received file of type '%s'.", mimeType).reply()
		case int64(len(content)) > limit:
			return refused(codeMediaUpload, "The file is larger than the limit of its type.").reply()
		}
		file := a.shelf.Put(content, mimeType, header.Filename)
		return exchange.JSON(http.StatusOK, contentType, map[string]string{"id": file.ID})
	})
}

type mediaLink struct {
	Product  string `json:"messaging_product"`
	URL      string `json:"url"`
	MIMEType string `json:"mime_type"`
	SHA256   string `json:"sha256"`
	Size     string `json:"file_size"`
	ID       string `json:"id"`
}

// object answers GET /{id} for tokens, numbers, accounts and files.
func (a *API) object(w http.ResponseWriter, r *http.Request, owner simulator.Number, id string) {
	if id == methodDebugToken {
		a.debugToken(w, r, owner)
		return
	}
	if n, err := a.number(id); err == nil {
		a.showNumber(w, r, n)
		return
	}
	if _, ok := a.ownerOf(id); ok && strings.Contains(r.URL.Query().Get("fields"), "display_phone_number") {
		write(w, parameter("Tried accessing nonexisting field (display_phone_number) on node type (WhatsAppBusinessAccount)").reply())
		return
	}
	a.file(w, r, owner, id)
}

func (a *API) file(w http.ResponseWriter, r *http.Request, owner simulator.Number, id string) {
	call := exchange.Call{Chat: chatOf(owner.ID, ""), Method: "media"}
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		if number := r.URL.Query().Get("phone_number_id"); number != "" {
			if _, failed := a.authorize(r, number, true); failed != nil {
				return failed.reply()
			}
		}
		file, ok := a.shelf.Get(id)
		fault, _ := a.desk.Faults.Take(faults.Media, call.Chat, "media", true)
		if !ok || fault.Kind == simulator.FaultMediaGone {
			return unknownObject(id).reply()
		}
		if fault.Kind == simulator.FaultMediaCorrupt {
			file.SHA256 = strings.Repeat("0", len(file.SHA256))
		}
		expires := time.Now().Add(linkLife)
		if fault.Kind == simulator.FaultMediaExpired {
			expires = time.Now().Add(-time.Minute)
		}
		return exchange.JSON(http.StatusOK, contentType, mediaLink{
			Product: "whatsapp", URL: linkTo(r.Host, id, expires),
			MIMEType: file.MIMEType, SHA256: file.SHA256, Size: fmt.Sprint(file.Size), ID: file.ID,
		})
	})
}

func linkTo(host, id string, expires time.Time) string {
	stamp := strconv.FormatInt(expires.Unix(), 10)
	return "http://" + host + AttachmentPath + "?" + url.Values{"mid": {id}, "ext": {stamp}, "hash": {linkHash(id)}}.Encode()
}

func linkHash(id string) string { return "AT" + tail(strings.Repeat("0", 16)+id, 16) }

// download gives the file itself to holders of a token, while the link lives.
func (a *API) download(w http.ResponseWriter, r *http.Request) {
	owner, failed := a.authorize(r, "", false)
	call := exchange.Call{Chat: chatOf(owner.ID, ""), Method: "download"}
	a.desk.Serve(w, r, call, a.refuse, func(simulator.Fault) exchange.Reply {
		query := r.URL.Query()
		id := query.Get("mid")
		file, ok := a.shelf.Get(id)
		expires, _ := strconv.ParseInt(query.Get("ext"), 10, 64)
		fault, _ := a.desk.Faults.Take(faults.Media, call.Chat, "download", true)
		missing := fault.Kind == simulator.FaultMediaGone || fault.Kind == simulator.FaultMediaExpired
		if failed != nil || !ok || missing || query.Get("hash") != linkHash(id) || time.Now().Unix() > expires {
			return exchange.NotFound()
		}
		return exchange.File(file.MIMEType, media.Damaged(file.Content, fault.Kind == simulator.FaultMediaCorrupt))
	})
}

// base64Of is how webhooks give a file's hash, unlike GET /{media-id}, which
// gives it in hexadecimal.
func base64Of(hexadecimal string) string {
	sum, err := hex.DecodeString(hexadecimal)
	if err != nil { // the shelf's own hash
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sum)
}
