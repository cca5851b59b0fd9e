package dev.ashlar.http;

import dev.ashlar.block.Cid;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a request under {@code /ipfs} names.
 *
 * @param text as it was sent
 * @param root the CID
 * @param segments the names behind it, decoded
 */
record IpfsPath(String text, Cid root, List<String> segments) {

  private static final String PREFIX = "/ipfs/";

  /**
   * Reads {@code /ipfs/CID} with names behind it, percent-encoded once. Names {@code .} and {@code
   * ..} are refused: no directory has them, and who sends them means another resource.
   */
  static IpfsPath of(String text) {
    if (!text.startsWith(PREFIX)) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "a path is /ipfs/CID, with names behind it");
    }
    List<String> parts = new ArrayList<>();
    for (String part : text.substring(PREFIX.length()).split("/", -1)) {
      if (!part.isEmpty()) {
        parts.add(decode(part));
      }
    }
    if (parts.isEmpty()) {
      throw new Problem(Problem.Code.INVALID_CID, "there is no CID behind /ipfs/");
    }
    List<String> segments = List.copyOf(parts.subList(1, parts.size()));
    if (segments.contains(".") || segments.contains("..")) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "a name in a path is not '.' or '..'");
    }
    return new IpfsPath(text, Exchange.cid(parts.get(0)), segments);
  }

  private static String decode(String part) {
    try {
      // A plus stands for itself in a path.
      return QueryStringDecoder.decodeComponent(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "the path is not properly percent-encoded");
    }
  }
}
