package media

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// once fails a single time.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	err := o.err
	o.err = io.EOF
	return 0, err
}

func TestLookAheadUsesNoErrorUp(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	i := newIntake(io.MultiReader(strings.NewReader("head"), &once{broken}), 100, func(int64, []byte) error { return nil })
	require.Equal(t, "head", string(i.head()))
	_, err := io.ReadAll(i)
	require.ErrorIs(t, err, broken)
}
