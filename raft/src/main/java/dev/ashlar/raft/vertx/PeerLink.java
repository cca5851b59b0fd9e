package dev.ashlar.raft.vertx;

import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.MessageCodec;
import dev.ashlar.raft.driver.PeerMessage;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetSocket;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One lane to one peer: connects when there is something to send, again with growing pauses, and
 * keeps nothing for a peer that is not there. On the node's context.
 */
final class PeerLink {

  private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);
  private static final int BACKOFF_MILLIS_MIN = 50;
  private static final int BACKOFF_MILLIS_MAX = 2000;

  private final Vertx vertx;
  private final PeerClient client;
  private final Lane lane;
  private final int queueBytesMax;
  private final Supplier<String> address;
  private final Supplier<Hello> hello;
  private final Consumer<Lane> broke;
  private @Nullable NetSocket socket;
  private boolean connecting;
  private boolean closed;
  private int backoffMillis = BACKOFF_MILLIS_MIN;
  private long queuedBytes;
  private String lastTrouble = "";

  /**
   * @param address where the peer is reached now
   * @param hello what to say first
   * @param broke told when the lane broke, so that what was sent on it may be lost
   */
  PeerLink(
      Vertx vertx,
      PeerClient client,
      Lane lane,
      int queueBytesMax,
      Supplier<String> address,
      Supplier<Hello> hello,
      Consumer<Lane> broke) {
    this.vertx = vertx;
    this.client = client;
    this.lane = lane;
    this.queueBytesMax = queueBytesMax;
    this.address = address;
    this.hello = hello;
    this.broke = broke;
  }

  /** Sends if the peer is connected and not too much waits already. */
  boolean send(PeerMessage message) {
    NetSocket open = socket;
    if (open == null) {
      connect();
      return false;
    }
    if (queuedBytes > queueBytesMax) {
      return false;
    }
    Buffer frame = Frames.encode(MessageCodec.encode(message));
    int length = frame.length();
    queuedBytes += length;
    open.write(frame)
        .onComplete(
            result -> {
              if (socket == open) {
                queuedBytes -= length;
              }
            });
    return true;
  }

  void connect() {
    if (connecting || closed || socket != null) {
      return;
    }
    connecting = true;
    try {
      client.connect(address.get(), hello.get()).onSuccess(this::connected).onFailure(this::failed);
    } catch (RuntimeException e) {
      // Such as an address that cannot be: it is tried again, and said why.
      failed(e);
    }
  }

  /** Makes the connection anew. */
  void reset() {
    if (socket != null) {
      socket.close();
    }
  }

  void close() {
    closed = true;
    if (socket != null) {
      socket.close();
    }
  }

  private void connected(PeerClient.Welcomed welcomed) {
    connecting = false;
    if (closed) {
      welcomed.socket().close();
      return;
    }
    socket = welcomed.socket();
    queuedBytes = 0;
    backoffMillis = BACKOFF_MILLIS_MIN;
    lastTrouble = "";
    NetSocket mine = welcomed.socket();
    mine.setWriteQueueMaxSize(queueBytesMax);
    // Nothing is said on a lane but by who opened it.
    mine.handler(unexpected -> mine.close());
    mine.exceptionHandler(e -> mine.close());
    mine.closeHandler(
        nothing -> {
          if (socket == mine) {
            socket = null;
            broke.accept(lane);
            again();
          }
        });
  }

  private void failed(Throwable why) {
    connecting = false;
    String trouble = String.valueOf(why.getMessage());
    if (!trouble.equals(lastTrouble) && !closed) {
      LOG.warn("peer={} lane={} cannot be reached: {}", address.get(), lane, trouble);
      lastTrouble = trouble;
    }
    again();
  }

  private void again() {
    if (closed) {
      return;
    }
    connecting = true;
    vertx.setTimer(
        backoffMillis,
        id -> {
          connecting = false;
          connect();
        });
    backoffMillis = Math.min(BACKOFF_MILLIS_MAX, 2 * backoffMillis);
  }
}
