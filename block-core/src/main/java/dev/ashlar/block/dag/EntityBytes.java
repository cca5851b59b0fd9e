package dev.ashlar.block.dag;

import dev.ashlar.block.MalformedException;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of a file's bytes (Trustless Gateway, {@code entity-bytes}). Negative numbers count from
 * the end.
 *
 * @param from the first byte
 * @param to the last byte, empty for the end of the file
 */
public record EntityBytes(long from, OptionalLong to) {

  private static final Pattern TEXT = Pattern.compile("(-?[0-9]{1,18}):(-?[0-9]{1,18}|\\*)");

  /** Bytes of a file of a known size. */
  public record Range(long first, long last) {

    /** Whether there is a byte in it. */
    public boolean isEmpty() {
      return last < first;
    }

    /** Whether it has a byte of so many from an offset on. */
    boolean meets(long offset, long size) {
      return size > 0 && offset <= last && offset + size > first;
    }
  }

  /**
   * Reads {@code from:to}.
   *
   * @throws MalformedException when it is not that, or can name no byte of any file
   */
  public static EntityBytes parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new MalformedException("entity-bytes is from:to, or from:*, not " + text);
    }
    long from = Long.parseLong(matcher.group(1));
    OptionalLong to =
        matcher.group(2).equals("*")
            ? OptionalLong.empty()
            : OptionalLong.of(Long.parseLong(matcher.group(2)));
    boolean sameSide = to.isPresent() && (from < 0) == (to.getAsLong() < 0);
    if (sameSide && to.getAsLong() < from) {
      throw new MalformedException("entity-bytes ends before it begins: " + text);
    }
    return new EntityBytes(from, to);
  }

  /** What it is of a file of so many bytes, cut off at its ends. */
  public Range of(long size) {
    long first = from < 0 ? Math.max(0, size + from) : from;
    long end =
        to.isEmpty() ? size - 1 : to.getAsLong() < 0 ? size + to.getAsLong() : to.getAsLong();
    return new Range(first, Math.min(end, size - 1));
  }
}
