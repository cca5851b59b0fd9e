package dev.ashlar.raft.vertx;

import dev.ashlar.block.MalformedException;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.driver.MessageCodec;
import dev.ashlar.raft.driver.PeerMessage;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import io.vertx.core.net.NetSocket;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes connections of other members. Whoever speaks nonsense is told so and hung up on. */
final class PeerServer {

  private static final Logger LOG = LoggerFactory.getLogger(PeerServer.class);
  private static final int HELLO_BYTES_MAX = 64 << 10;

  /** More than any cluster needs at once. */
  private static final int STRANGERS_MAX = 500;

  /** Lanes of those who are no members, or not yet, or not any more. */
  private static final int FOREIGN_LANES_MAX = 96;

  /** The same refusal is said once in so long. */
  private static final long REFUSAL_QUIET_NANOS = 60_000_000_000L;

  /** What the node does for those who connect. */
  interface Visitors {

    /** Why the visitor is not welcome, null when it is. */
    @Nullable String refusal(Hello hello);

    /** A message on a lane. */
    void message(MemberId from, PeerMessage message);

    /** What to tell a visitor that discovers or wants to join. */
    Future<String> answer(Hello hello);

    /** A visitor has proved itself. */
    void welcomed(Hello hello);

    /** Whether the membership names it. */
    boolean isMember(MemberId visitor);
  }

  private record Lane(MemberId from, Hello.Purpose purpose) {}

  private final Vertx vertx;
  private final RaftNodeOptions options;
  private final ClusterSecret secret;
  private final NetServer server;
  private final Visitors visitors;
  private final Identity identity;

  /** The one connection of each lane, the oldest first. */
  private final Map<Lane, NetSocket> current = new LinkedHashMap<>();

  /** Those who have not proved themselves, or only ask a question; the oldest first. */
  private final Set<NetSocket> strangers = new LinkedHashSet<>();

  private String lastRefusal = "";
  private long refusedNanos;

  PeerServer(Vertx vertx, RaftNodeOptions options, Identity identity, Visitors visitors) {
    this.vertx = vertx;
    this.options = options;
    this.secret = options.secret();
    this.visitors = visitors;
    this.identity = identity;
    NetServerOptions net =
        new NetServerOptions()
            .setHost(options.host())
            .setPort(options.port())
            .setTcpNoDelay(true)
            .setTcpKeepAlive(true);
    options
        .tls()
        .ifPresent(
            tls -> {
              net.setSsl(true);
              net.setKeyCertOptions(tls.identity());
              net.setTrustOptions(tls.trust());
              net.setClientAuth(ClientAuth.REQUIRED);
            });
    this.server = vertx.createNetServer(net);
    server.connectHandler(this::visit);
  }

  Future<Integer> listen() {
    return server.listen().map(NetServer::actualPort);
  }

  Future<Void> close() {
    return server.close();
  }

  private void visit(NetSocket socket) {
    strangers.add(socket);
    if (strangers.size() > STRANGERS_MAX) {
      // Members prove themselves within a moment: who has been silent for the longest is none.
      NetSocket oldest = strangers.iterator().next();
      strangers.remove(oldest);
      oldest.close();
    }
    Visit visit = new Visit(socket);
    // Until it has proved itself a visitor gets room for a hello, and little time. Who asks a
    // question gets no more.
    Frames frames = new Frames(HELLO_BYTES_MAX, frame -> visit.frame(frame));
    visit.frames = frames;
    long timer = vertx.setTimer(2L * options.connectMillis(), id -> visit.tooLate());
    socket.handler(chunk -> visit.guarded(frames, chunk));
    socket.exceptionHandler(e -> socket.close());
    socket.closeHandler(
        nothing -> {
          strangers.remove(socket);
          vertx.cancelTimer(timer);
          visit.closed();
        });
  }

  private void boundForeignLanes() {
    List<Lane> foreign =
        current.keySet().stream().filter(lane -> !visitors.isMember(lane.from())).toList();
    if (foreign.size() > FOREIGN_LANES_MAX) {
      NetSocket oldest = current.remove(foreign.get(0));
      if (oldest != null) {
        oldest.close();
      }
    }
  }

  /** One connection. */
  private final class Visit {

    private final NetSocket socket;
    private final UUID nonce = UUID.randomUUID();
    private @Nullable Hello hello;
    private @Nullable ByteBuffer said;
    private boolean welcome;
    private @Nullable Frames frames;

    Visit(NetSocket socket) {
      this.socket = socket;
    }

    void guarded(Frames reader, Buffer chunk) {
      try {
        reader.handle(chunk);
      } catch (FrameException | MalformedException e) {
        refuse(String.valueOf(e.getMessage()));
      }
    }

    void frame(ByteBuffer frame) {
      Hello visitor = hello;
      ByteBuffer first = said;
      if (visitor == null || first == null) {
        greet(frame);
      } else if (welcome && visitor.purpose().isQuestion()) {
        refuse("nothing is said after a question");
      } else if (welcome) {
        if (current.get(new Lane(visitor.from(), visitor.purpose())) == socket) {
          visitors.message(visitor.from(), MessageCodec.decode(frame));
        }
      } else if (secret.isProof(frame, "client", first, nonce)) {
        welcome(visitor);
      } else {
        refuse("the cluster's secret is not known: see --cluster-secret-file");
      }
    }

    void tooLate() {
      if (!welcome) {
        refuse("no hello in time");
      }
    }

    void closed() {
      Hello visitor = hello;
      if (visitor != null) {
        current.remove(new Lane(visitor.from(), visitor.purpose()), socket);
      }
    }

    private void greet(ByteBuffer frame) {
      Hello visitor = Hello.decode(frame);
      String refusal = visitors.refusal(visitor);
      if (refusal != null) {
        refuse(refusal);
        return;
      }
      hello = visitor;
      said = frame;
      answer(Answer.WELCOME, secret.proof("server", frame, nonce), "");
    }

    private void welcome(Hello visitor) {
      welcome = true;
      visitors.welcomed(visitor);
      if (visitor.purpose().isQuestion()) {
        visitors
            .answer(visitor)
            .onSuccess(text -> end(Answer.WELCOME, text))
            .onFailure(e -> refuse(String.valueOf(e.getMessage())));
        return;
      }
      strangers.remove(socket);
      if (frames != null) {
        frames.allow(options.frameBytesMax());
      }
      // Frames of a connection that this one supersedes are dropped.
      Lane lane = new Lane(visitor.from(), visitor.purpose());
      NetSocket before = current.remove(lane);
      if (before != null) {
        before.close();
      }
      current.put(lane, socket);
      boundForeignLanes();
      answer(Answer.WELCOME, ByteBuffer.allocate(0), "");
    }

    private void refuse(String why) {
      long now = System.nanoTime();
      boolean again = why.equals(lastRefusal) && now - refusedNanos < REFUSAL_QUIET_NANOS;
      if (!again) {
        LOG.warn("a connection from {} is refused: {}", socket.remoteAddress(), why);
        lastRefusal = why;
        refusedNanos = now;
      }
      end(Answer.REFUSED, why);
    }

    private void end(int status, String text) {
      answer(status, ByteBuffer.allocate(0), text).onComplete(done -> socket.close());
    }

    private Future<Void> answer(int status, ByteBuffer proof, String text) {
      Answer answer = new Answer(status, identity.member(), identity.cluster(), nonce, proof, text);
      return socket.write(Frames.encode(List.of(answer.encode())));
    }
  }
}
