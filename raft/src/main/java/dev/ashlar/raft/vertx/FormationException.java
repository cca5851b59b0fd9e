package dev.ashlar.raft.vertx;

/** A member cannot be formed as asked for; the message says what contradicts what. */
public final class FormationException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  FormationException(String message) {
    super(message);
  }
}
