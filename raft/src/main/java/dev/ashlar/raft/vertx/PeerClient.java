package dev.ashlar.raft.vertx;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.List;

/** Makes connections to other members and goes through the handshake. On the node's context. */
final class PeerClient {

  private final Vertx vertx;
  private final NetClient client;
  private final RaftNodeOptions options;
  private final ClusterSecret secret;

  PeerClient(Vertx vertx, RaftNodeOptions options) {
    this.vertx = vertx;
    this.options = options;
    this.secret = options.secret();
    NetClientOptions net =
        new NetClientOptions()
            .setConnectTimeout(options.connectMillis())
            .setTcpNoDelay(true)
            .setTcpKeepAlive(true);
    options
        .tls()
        .ifPresent(
            tls -> {
              net.setSsl(true);
              net.setKeyCertOptions(tls.identity());
              net.setTrustOptions(tls.trust());
              net.setHostnameVerificationAlgorithm("HTTPS");
            });
    this.client = vertx.createNetClient(net);
  }

  /**
   * A connection that has been welcomed.
   *
   * @param socket paused by nobody; what comes on it is not expected
   * @param answer the welcome
   */
  record Welcomed(NetSocket socket, Answer answer) {}

  /** Connects and says hello. Fails with {@link FrameException} and the peer's own words. */
  Future<Welcomed> connect(String address, Hello hello) {
    HostAndPort place = HostAndPort.parseAuthority(address, -1);
    if (place == null || place.port() < 1 || place.port() > 65_535) {
      return Future.failedFuture(new FrameException("an address is HOST:PORT, not " + address));
    }
    String host = place.host().replace("[", "").replace("]", "");
    int port = place.port();
    return client
        .connect(SocketAddress.inetSocketAddress(port, host))
        .compose(socket -> greet(socket, hello));
  }

  /** Asks one question, and hangs up. */
  Future<String> ask(String address, Hello hello) {
    return connect(address, hello)
        .map(
            welcomed -> {
              welcomed.socket().close();
              return welcomed.answer().text();
            });
  }

  void close() {
    client.close();
  }

  private Future<Welcomed> greet(NetSocket socket, Hello hello) {
    Promise<Welcomed> promise = Promise.promise();
    ByteBuffer said = hello.encode();
    long timer =
        vertx.setTimer(
            options.connectMillis(),
            id -> promise.tryFail(new FrameException("no answer to the hello")));
    boolean[] challenged = {false};
    Frames frames =
        new Frames(
            options.frameBytesMax(),
            frame -> {
              Answer answer = Answer.decode(frame);
              if (answer.status() != Answer.WELCOME) {
                promise.tryFail(new FrameException(answer.text()));
              } else if (challenged[0]) {
                promise.tryComplete(new Welcomed(socket, answer));
              } else if (secret.isProof(answer.proof(), "server", said, answer.nonce())) {
                challenged[0] = true;
                ByteBuffer proof = secret.proof("client", said, answer.nonce());
                socket.write(Frames.encode(List.of(proof)));
              } else {
                promise.tryFail(
                    new FrameException(
                        "the peer does not know the cluster's secret: see --cluster-secret-file"));
              }
            });
    socket.handler(
        chunk -> {
          try {
            frames.handle(chunk);
          } catch (FrameException e) {
            promise.tryFail(
                new FrameException(
                    "what answers there is no member of Ashlar ("
                        + e.getMessage()
                        + "): is it the peer port?"));
          }
        });
    socket.exceptionHandler(promise::tryFail);
    socket.closeHandler(
        nothing -> promise.tryFail(new FrameException("the peer closed the connection")));
    socket.write(Frames.encode(List.of(said)));
    return promise
        .future()
        .onComplete(
            result -> {
              vertx.cancelTimer(timer);
              if (result.failed()) {
                socket.close();
              }
            });
  }
}
