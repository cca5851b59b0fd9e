package dev.ashlar.raft.vertx;

/** A peer said something that is not the protocol. Its connection is closed; nothing else is. */
final class FrameException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  FrameException(String message) {
    super(message);
  }
}
