package weaviate

import (
	"context"
	"encoding/binary"
	"math"

	pb "github.com/weaviate/weaviate/grpc/generated/protocol/v1"

	rag "github.com/knobot/knobot/services/rag"
)

// Match is an entry found.
type Match struct {
	Passage rag.PassageID
	// Score is the keyword score, or the cosine.
	Score float64
}

// Search returns the entries that match an expression of terms best, best first. The expression is words of letters and
// digits that package analysis made, never a customer's text. It returns ErrMissing if there is no such tenant.
func (x *Index) Search(ctx context.Context, in rag.Tenant, expression string, limit int) ([]Match, error) {
	request := request(in, limit)
	request.Metadata.Score = true
	// Stems three times as heavy as pieces measured best, with and without typing errors.
	request.Bm25Search = &pb.BM25{Query: expression, Properties: []string{propStems + "^3", propPieces}}
	return x.find(ctx, request, func(m *pb.MetadataResult) float64 { return float64(m.GetScore()) })
}

// Near returns the entries nearest to a vector, nearest first, their scores being cosines. It returns ErrMissing if there
// is no such tenant.
func (x *Index) Near(ctx context.Context, in rag.Tenant, vector []float32, limit int) ([]Match, error) {
	request := request(in, limit)
	request.Metadata.Distance = true
	request.NearVector = &pb.NearVector{VectorBytes: littleEndian(vector)}
	// A cosine distance is 1 - cosine.
	return x.find(ctx, request, func(m *pb.MetadataResult) float64 { return 1 - float64(m.GetDistance()) })
}

func request(in rag.Tenant, limit int) *pb.SearchRequest {
	return &pb.SearchRequest{
		Collection:  class(in.IndexSpec),
		Tenant:      in.Name,
		Limit:       uint32(max(limit, 0)),
		Uses_127Api: true,
		Uses_125Api: true, //nolint:staticcheck // deprecated in the stubs, yet 1.35.2 answers in the old form without it
		Uses_123Api: true, //nolint:staticcheck // likewise
		Metadata:    &pb.MetadataRequest{Uuid: true},
		Properties:  &pb.PropertiesRequest{},
	}
}

func (x *Index) find(ctx context.Context, request *pb.SearchRequest, score func(*pb.MetadataResult) float64) ([]Match, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	reply, err := x.search.Search(x.outgoing(ctx), request)
	if err != nil {
		return nil, translate(err)
	}
	matches := make([]Match, 0, len(reply.GetResults()))
	for _, r := range reply.GetResults() {
		matches = append(matches, Match{Passage: rag.PassageID(r.GetMetadata().GetId()), Score: score(r.GetMetadata())})
	}
	return matches, nil
}

// littleEndian is how Weaviate takes a vector.
func littleEndian(vector []float32) []byte {
	out := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}
