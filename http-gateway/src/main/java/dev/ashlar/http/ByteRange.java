package dev.ashlar.http;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One range of bytes (RFC 9110 §14.1.2).
 *
 * @param first the first byte's offset
 * @param last the last byte's offset
 */
record ByteRange(long first, long last) {

  private static final Pattern SINGLE =
      Pattern.compile("\\s*bytes\\s*=\\s*(\\d{0,18})\\s*-\\s*(\\d{0,18})\\s*");

  long length() {
    return last - first + 1;
  }

  String contentRange(long size) {
    return "bytes " + first + "-" + last + "/" + size;
  }

  /**
   * The range of a header.
   *
   * @return empty where the header is to be ignored: malformed, another unit, or several ranges
   * @throws Problem when the range lies outside the representation
   */
  static Optional<ByteRange> parse(String header, long size) {
    Matcher matcher = SINGLE.matcher(header);
    if (!matcher.matches() || (matcher.group(1).isEmpty() && matcher.group(2).isEmpty())) {
      return Optional.empty();
    }
    long first;
    long last;
    if (matcher.group(1).isEmpty()) {
      first = size - Math.min(size, Long.parseLong(matcher.group(2)));
      last = size - 1;
    } else {
      first = Long.parseLong(matcher.group(1));
      long lastAsked =
          matcher.group(2).isEmpty() ? Long.MAX_VALUE : Long.parseLong(matcher.group(2));
      if (lastAsked < first) {
        return Optional.empty();
      }
      last = Math.min(lastAsked, size - 1);
    }
    if (first >= size || first > last) {
      throw new Problem(
          Problem.Code.RANGE_NOT_SATISFIABLE,
          "there are " + size + " bytes",
          Map.of("Content-Range", "bytes */" + size));
    }
    return Optional.of(new ByteRange(first, last));
  }
}
