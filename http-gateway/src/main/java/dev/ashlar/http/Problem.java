package dev.ashlar.http;

import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.HashMismatchException;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.StoreLockedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.UnknownOutcomeException;
import dev.ashlar.block.UnsupportedHashException;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.root.IncompleteRootsException;
import dev.ashlar.block.root.PinException;
import dev.ashlar.block.root.UnwalkableRootException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.Map;

/**
 * An answer that is not what was asked for: problem details (RFC 9457) with a stable {@code code}.
 * The one table from exceptions to statuses.
 */
final class Problem extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What can be wrong; the lower-case name is the code that clients see. */
  enum Code {
    INVALID_REQUEST(400, "The request is malformed"),
    INVALID_CID(400, "Not a CID"),
    UNAUTHORIZED(401, "A bearer token is needed"),
    FORBIDDEN(403, "Not allowed"),
    NOT_FOUND(404, "Not here"),
    METHOD_NOT_ALLOWED(405, "Not with this method"),
    NOT_ACCEPTABLE(406, "Not in this format"),
    REQUEST_TIMEOUT(408, "The request came too slowly"),
    CONFLICT(409, "Not as expected"),
    GONE(410, "Not kept any more"),
    PRECONDITION_FAILED(412, "Not cached here"),
    TOO_MUCH(400, "More than is walked"),
    TOO_LARGE(413, "Too large"),
    URI_TOO_LONG(414, "The request line is too long"),
    UNSUPPORTED_MEDIA_TYPE(415, "Not in this encoding"),
    RANGE_NOT_SATISFIABLE(416, "No such range"),
    INVALID_KEY(422, "Not a CID"),
    HASH_MISMATCH(422, "The bytes are not the CID's"),
    UNSUPPORTED_HASH(422, "The hash function is not supported"),
    HEADERS_TOO_LARGE(431, "The headers are too large"),
    INTERNAL(500, "An error of the server"),
    DAMAGED(500, "The block is damaged"),
    STORE_FAILED(500, "The storage failed"),
    NOT_IMPLEMENTED(501, "Not in this version"),
    UNAVAILABLE(503, "Not now"),
    UNKNOWN_OUTCOME(504, "It may have been done"),
    NO_SPACE(507, "No space");

    private final int status;
    private final String title;

    Code(int status, String title) {
      this.status = status;
      this.title = title;
    }

    int status() {
      return status;
    }

    String stableName() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private final Code code;
  private final transient Map<String, String> headers;

  Problem(Code code, String detail) {
    this(code, detail, Map.of());
  }

  /** With headers that belong to the status. */
  Problem(Code code, String detail, Map<String, String> headers) {
    super(detail, null, false, false);
    this.code = code;
    this.headers = headers;
  }

  Code code() {
    return code;
  }

  Map<String, String> headers() {
    return headers;
  }

  JsonObject toJson() {
    return new JsonObject()
        .put("type", "about:blank")
        .put("title", code.title)
        .put("status", code.status)
        .put("code", code.stableName())
        .put("detail", getMessage());
  }

  /** What an exception means to a client. */
  static Problem of(Throwable e) {
    if (e instanceof Problem problem) {
      return problem;
    }
    String detail = String.valueOf(e.getMessage());
    if (e instanceof BlockException block) {
      Code code = code(block);
      return code == Code.UNAVAILABLE
          ? new Problem(code, detail, Map.of("Retry-After", "1"))
          : new Problem(code, detail);
    }
    if (e instanceof PinException
        || e instanceof IncompleteRootsException
        || e instanceof UnwalkableRootException) {
      return new Problem(Code.CONFLICT, detail);
    }
    if (e instanceof CarException || e instanceof IOException) {
      return new Problem(Code.INVALID_REQUEST, detail);
    }
    if (e instanceof DagException) {
      boolean isTooMuch = e instanceof DagException.TooLarge;
      return new Problem(isTooMuch ? Code.TOO_MUCH : Code.NOT_FOUND, detail);
    }
    if (e instanceof IllegalArgumentException) {
      return new Problem(Code.INVALID_REQUEST, detail);
    }
    return new Problem(Code.INTERNAL, "unexpected: " + e.getClass().getSimpleName());
  }

  private static Code code(BlockException e) {
    if (e instanceof MalformedException) {
      return Code.INVALID_REQUEST;
    }
    if (e instanceof UnsupportedHashException) {
      return Code.UNSUPPORTED_HASH;
    }
    if (e instanceof HashMismatchException) {
      return Code.HASH_MISMATCH;
    }
    if (e instanceof BlockTooLargeException) {
      return Code.TOO_LARGE;
    }
    if (e instanceof NoSpaceException) {
      return Code.NO_SPACE;
    }
    if (e instanceof StoreUnavailableException
        || e instanceof StoreClosedException
        || e instanceof StoreLockedException) {
      return Code.UNAVAILABLE;
    }
    if (e instanceof FeedGoneException) {
      return Code.GONE;
    }
    if (e instanceof UnknownOutcomeException) {
      return Code.UNKNOWN_OUTCOME;
    }
    if (e instanceof BlockDamagedException) {
      return Code.DAMAGED;
    }
    if (e instanceof StoreFailedException || e instanceof StoreFormatException) {
      return e.outcomeUnknown() ? Code.UNKNOWN_OUTCOME : Code.STORE_FAILED;
    }
    return Code.INTERNAL;
  }
}
