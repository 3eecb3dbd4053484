package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	conversationv1 "github.com/knobot/knobot/gen/knobot/conversation/v1"

	"github.com/knobot/knobot/e2e/internal/system"
	"github.com/knobot/knobot/simulator"
)

// TestErasedCustomerIsNowhere lets two customers talk to a running system, erases one by the RPC, and then searches every table of
// all services, every file and, with those of all tests, every log.
func TestErasedCustomerIsNowhere(t *testing.T) {
	t.Parallel()
	c, files := newCanaries(), t.TempDir()
	s := start(t, map[string]string{"KNOBOT_MEDIA_URL": "file://" + filepath.ToSlash(files)})
	require.NoError(t, s.Store(t.Context(), "horario.md", hours))
	ana := whatsAppCustomer(t, s, c.phone+"01")
	ana.say.Person = simulator.Person{Name: "Ana " + c.name}
	leo := whatsAppCustomer(t, s, "573005550188")
	ana.ask("¿Venden patines " + c.text + "?")
	leo.ask("¿A qué hora abren los sábados?")
	file, err := s.Simulator.Upload(t.Context(), []byte("%PDF-1.4 "+c.text), "application/pdf", c.file+".pdf")
	require.NoError(t, err)
	u := ana.say
	u.Kind, u.Media, u.Text = "document", file.ID, "¿A qué hora abren los sábados? "+c.text
	said, err := s.Simulator.Say(t.Context(), u)
	require.NoError(t, err)
	ana.awaitAnswer(said)

	db := database(t, s)
	all := func() string { return dumpOf(t, db) + bytesIn(t, files) }
	eventually(t, 30*time.Second, func() bool {
		return count(t, db, `conversation.turns`)+count(t, db, `conversation.delivery_reports`)+count(t, db, `conversation.media_fetches`) == 0 &&
			count(t, db, `conversation.messages where role = 'assistant' and delivery_state < 3`) == 0
	}, "everything is said and reported")
	user := userOf(t, s, c.phone+"01")
	secrets := []string{c.text, c.name, c.file, c.phone + "01", user.GetPlatformUserId()}
	require.NotEmpty(t, user.GetPlatformUserId())
	before := all()
	for _, canary := range secrets {
		require.Contains(t, before, canary)
	}

	users := conversationv1.NewUserServiceClient(s.Conn(s.Conversation))
	document := exported(t, users, user.GetId())
	for _, canary := range secrets {
		require.Contains(t, document, canary, "the export holds what is kept")
	}
	_, err = users.DeleteUser(t.Context(), &conversationv1.DeleteUserRequest{Id: user.GetId()})
	require.NoError(t, err)
	eventually(t, 30*time.Second, func() bool {
		r, err := users.GetErasure(t.Context(), &conversationv1.GetErasureRequest{UserId: user.GetId()})
		return err == nil && r.GetErasure().GetState() == conversationv1.Erasure_STATE_DONE
	}, "nothing is left")
	after := all()
	for _, canary := range secrets {
		require.NotContains(t, after, canary)
	}
	require.Contains(t, after, "573005550188", "other customers stay")
	require.Contains(t, ana.ask("¿A qué hora abren los sábados?").Text, "10:00", "and who comes back is answered")
	require.NotEqual(t, user.GetId(), userOf(t, s, c.phone+"01").GetId())
}

// database is a connection that sees all schemas.
func database(t *testing.T, s *system.System) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), stores.Postgres.URL(s.Database).Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func count(t *testing.T, db *pgx.Conn, from string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "select count(*) from "+from).Scan(&n))
	return n
}

// dumpOf is every row of every service as text, bytes as the characters that they are.
func dumpOf(t *testing.T, db *pgx.Conn) string {
	t.Helper()
	rows, err := db.Query(t.Context(), `
select format('%I.%I', table_schema, table_name) from information_schema.tables
where table_schema in ('conversation', 'rag', 'channels') and table_type = 'BASE TABLE'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(tables), 30)
	var all strings.Builder
	for _, table := range append(tables, `(select encode(body, 'escape') from conversation.webhook_payloads)`) {
		var text string
		require.NoError(t, db.QueryRow(t.Context(), `select coalesce(string_agg(x::text, e'\n'), '') from `+table+` x`).Scan(&text))
		all.WriteString(text)
	}
	return all.String()
}

// bytesIn is the content of all files in a folder, with their names.
func bytesIn(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.WriteString(path + string(content))
		return err
	}))
	return all.String()
}

// userOf returns the user with a phone number.
func userOf(t *testing.T, s *system.System, phone string) *conversationv1.User {
	t.Helper()
	r, err := conversationv1.NewUserServiceClient(s.Conn(s.Conversation)).ListUsers(t.Context(), &conversationv1.ListUsersRequest{})
	require.NoError(t, err)
	for _, u := range r.GetUsers() {
		if u.GetPhoneNumber() == phone {
			return u
		}
	}
	require.Fail(t, "no user has this number")
	return nil
}

// exported is the document of a user.
func exported(t *testing.T, users conversationv1.UserServiceClient, user string) string {
	t.Helper()
	stream, err := users.ExportUser(t.Context(), &conversationv1.ExportUserRequest{Id: user})
	require.NoError(t, err)
	var all strings.Builder
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			require.True(t, json.Valid([]byte(all.String())))
			return all.String()
		}
		require.NoError(t, err)
		all.Write(piece.GetBody().GetData())
	}
}
