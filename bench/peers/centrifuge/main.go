// Command centrifuge-peer is the peer that Vagus is measured against when Centrifugo itself cannot be built: a
// server of a hundred lines on the real Centrifuge library, which is the engine inside Centrifugo.
//
// It is set up as a benchmark asks for: JSON protocol, anonymous clients that may do everything, the memory broker or,
// with -redis, that of Redis, presence and history only with -presence and -history. It listens on a free port and says so in one JSON line on stdout.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/centrifugal/centrifuge"
)

func main() {
	history := flag.Int("history", 0, "publications kept for each channel (0: none)")
	redis := flag.String("redis", "", "host:port of the Redis that nodes share (empty: each for itself)")
	presence := flag.Bool("presence", false, "keep presence for every subscription")
	flag.Parse()

	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelError, LogHandler: logged})
	if err != nil {
		log.Fatal(err)
	}
	if *redis != "" {
		if err := share(node, *redis); err != nil {
			log.Fatal(err)
		}
	}
	open(node, *history, *presence)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	mux.Handle("/connection/http_stream", centrifuge.NewHTTPStreamHandler(node, centrifuge.HTTPStreamConfig{}))
	mux.Handle("/connection/sse", centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{}))
	mux.Handle("/emulation", centrifuge.NewEmulationHandler(node, centrifuge.EmulationConfig{}))
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	announce(listener)

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = node.Shutdown(ctx)
}

// share makes the node one of many that stand on the same Redis.
func share(node *centrifuge.Node, address string) error {
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: address})
	if err != nil {
		return err
	}
	shards := []*centrifuge.RedisShard{shard}
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: shards})
	if err != nil {
		return err
	}
	node.SetBroker(broker)
	keeper, err := centrifuge.NewRedisPresenceManager(node, centrifuge.RedisPresenceManagerConfig{Shards: shards})
	if err != nil {
		return err
	}
	node.SetPresenceManager(keeper)
	return nil
}

// open lets every client in and lets it subscribe, publish, call and read the history.
func open(node *centrifuge.Node, history int, presence bool) {
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: ""}}, nil
	})
	publishing := centrifuge.PublishOptions{HistorySize: history, HistoryTTL: time.Minute}
	if history == 0 {
		publishing = centrifuge.PublishOptions{}
	}
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			options := centrifuge.SubscribeOptions{EnableRecovery: history > 0, EmitPresence: presence}
			done(centrifuge.SubscribeReply{Options: options}, nil)
		})
		client.OnPublish(func(event centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			result, err := node.Publish(event.Channel, event.Data, centrifuge.WithHistory(publishing.HistorySize, publishing.HistoryTTL))
			done(centrifuge.PublishReply{Result: &result}, err)
		})
		client.OnRPC(func(event centrifuge.RPCEvent, done centrifuge.RPCCallback) {
			done(centrifuge.RPCReply{Data: event.Data}, nil)
		})
		client.OnHistory(func(_ centrifuge.HistoryEvent, done centrifuge.HistoryCallback) {
			done(centrifuge.HistoryReply{}, nil)
		})
		client.OnPresenceStats(func(_ centrifuge.PresenceStatsEvent, done centrifuge.PresenceStatsCallback) {
			done(centrifuge.PresenceStatsReply{}, nil)
		})
	})
}

func logged(entry centrifuge.LogEntry) { log.Println(entry.Message, entry.Fields) }

func announce(listener net.Listener) {
	line, _ := json.Marshal(map[string]any{
		"port":    listener.Addr().(*net.TCPAddr).Port,
		"pid":     os.Getpid(),
		"runtime": runtime.Version(),
		"procs":   runtime.GOMAXPROCS(0),
	})
	fmt.Println(string(line))
}
