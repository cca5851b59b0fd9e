package dev.ashlar.block.root;

/** A pin is not as it would have to be. */
public final class PinException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  PinException(String message) {
    super(message);
  }
}
