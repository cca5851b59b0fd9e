package dev.ashlar.block.car;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A CAR file that is not what it should be: says what is wrong and at which byte. */
public final class CarException extends IOException {

  private static final long serialVersionUID = 1L;

  private final long offset;

  CarException(String what, long offset) {
    this(what, offset, null);
  }

  CarException(String what, long offset, @Nullable Throwable cause) {
    super(what + " (at byte " + offset + " of the CAR)", cause);
    this.offset = offset;
  }

  /** Where it is wrong, in bytes from the start of the stream. */
  public long offset() {
    return offset;
  }
}
