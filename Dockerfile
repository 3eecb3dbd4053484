# Every program of KnoBot, one at a time: docker build --build-arg SERVICE=gateway -t knobot/gateway:dev .
ARG GO_IMAGE=golang:1.26

FROM ${GO_IMAGE} AS build
ARG SERVICE
# Each module builds alone, as its go.mod says.
ENV CGO_ENABLED=0 GOWORK=off GOCACHE=/go/build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    case "$SERVICE" in \
      gateway|conversation|rag|channels) module=services/$SERVICE ;; \
      simulator) module=simulator ;; \
      knobot) module=cli ;; \
      *) echo "--build-arg SERVICE= gateway, conversation, rag, channels, simulator or knobot" >&2; exit 1 ;; \
    esac && \
    go build -C "$module" -trimpath -tags grpcnotrace -ldflags "-s -w" -o /out/program "./cmd/$SERVICE"
# Folders that a volume may lie on; a named one takes their owner over.
RUN mkdir -p /out/tmp /out/var/lib/knobot/media

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/ /
USER 65532:65532
# A container's loopback reaches nobody; gRPC addresses differ from program to program and are set where they run.
ENV KNOBOT_HTTP_ADDR=0.0.0.0:9000
ENTRYPOINT ["/program"]
