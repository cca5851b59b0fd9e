package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagPath;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What all commands of Kubo's RPC share: POST only, arguments as repeated {@code arg}, errors and
 * streams in Kubo's own form (Kubo RPC API v0).
 */
final class Kubo {

  static final String PREFIX = "/api/v0/";
  static final String ALLOWED = "OPTIONS, POST";

  private static final int SEGMENTS_MAX = 256;

  private Kubo() {}

  static void add(Router router, String command, Handler<Exchange> route) {
    router.post(PREFIX + command).handler(handler(route));
  }

  /** What no command takes. */
  static void addRest(Router router) {
    router.post(PREFIX + "*").handler(handler(e -> text(e, 404, "404 page not found")));
    router
        .options(PREFIX + "*")
        .handler(handler(e -> e.response().setStatusCode(204).putHeader("Allow", ALLOWED).end()));
    router
        .route(PREFIX + "*")
        .handler(
            handler(
                e -> {
                  e.response().putHeader("Allow", ALLOWED);
                  text(e, 405, "405 - Method Not Allowed: the RPC takes POST");
                }));
  }

  /** As {@link Exchange#handler}, with errors in Kubo's form. */
  static Handler<RoutingContext> handler(Handler<Exchange> route) {
    return Exchange.handler(route, Kubo::refuse);
  }

  /** An argument that is missing or wrong: 400 with plain text, as Kubo has it. */
  static final class BadArgument extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    BadArgument(String message) {
      super(message);
    }
  }

  /**
   * What an argument names.
   *
   * @param root where its path begins
   * @param segments names on the way
   * @param text as it was given
   */
  record Path(Cid root, List<String> segments, String text) {

    /** Goes along the path. */
    DagPath resolve(BlockSource source) {
      return DagPath.resolve(source, root, segments);
    }

    /** Where the path ends, which must be a block. */
    Cid cid(BlockSource source) {
      if (segments.isEmpty()) {
        return root;
      }
      DagPath resolved = resolve(source);
      if (!resolved.remainder().isEmpty()) {
        throw new BadArgument("\"" + text + "\" ends within a block, at a value that is no link");
      }
      return resolved.terminus();
    }
  }

  /** What an option says, by a parser that throws for what it does not know. */
  static <T> T option(Exchange exchange, String name, String otherwise, Function<String, T> parse) {
    try {
      return parse.apply(exchange.parameter(name).orElse(otherwise));
    } catch (BlockException e) {
      throw new BadArgument(name + ": " + e.getMessage());
    }
  }

  static List<Cid> cidArguments(Exchange exchange) {
    List<Cid> cids = new ArrayList<>();
    for (Path path : arguments(exchange)) {
      if (!path.segments().isEmpty()) {
        throw new BadArgument("invalid path \"" + path.text() + "\": a block has no path");
      }
      cids.add(path.root());
    }
    return cids;
  }

  static Path argument(Exchange exchange) {
    List<Path> all = arguments(exchange);
    if (all.size() > 1) {
      throw new BadArgument("one argument is taken, not " + all.size());
    }
    return all.get(0);
  }

  static List<Path> arguments(Exchange exchange) {
    List<String> texts = exchange.parameters("arg");
    if (texts.isEmpty()) {
      throw new BadArgument("argument \"key\" is required");
    }
    return texts.stream().map(Kubo::path).toList();
  }

  /** A CID, {@code /ipfs/…} or {@code ipfs://…}, with a path behind it or not. */
  private static Path path(String text) {
    if (text.startsWith("/ipns/") || text.startsWith("ipns://")) {
      throw new BadArgument("invalid path \"" + text + "\": names of IPNS are not resolved here");
    }
    String rest = text;
    for (String prefix : List.of("/ipfs/", "ipfs://")) {
      rest = rest.startsWith(prefix) ? rest.substring(prefix.length()) : rest;
    }
    List<String> parts = new ArrayList<>(List.of(rest.split("/", -1)));
    try {
      Cid root = Exchange.cid(parts.remove(0));
      parts.removeIf(String::isEmpty);
      if (parts.size() > SEGMENTS_MAX) {
        throw new BadArgument("a path has at most " + SEGMENTS_MAX + " names");
      }
      return new Path(root, parts, text);
    } catch (Problem e) {
      throw new BadArgument("invalid path \"" + text + "\": " + e.getMessage());
    }
  }

  /** The headers of a stream of JSON. */
  static HttpServerResponse stream(Exchange exchange) {
    return exchange
        .response()
        .putHeader("Content-Type", "application/json")
        .putHeader("X-Chunked-Output", "1");
  }

  /** As {@link #stream}, for a job. */
  static void stream(JobOutput out) {
    out.header("Content-Type", "application/json").header("X-Chunked-Output", "1");
  }

  static Buffer line(JsonObject json) {
    return json.toBuffer().appendString("\n");
  }

  static void refuse(Exchange exchange, Problem problem) {
    if (problem.code() == Problem.Code.INVALID_REQUEST) {
      exchange.refuse(
          400, "text/plain; charset=utf-8", Buffer.buffer(String.valueOf(problem.getMessage())));
      return;
    }
    JsonObject error =
        new JsonObject().put("Message", problem.getMessage()).put("Code", 0).put("Type", "error");
    exchange.refuse(
        problem.code() == Problem.Code.UNAVAILABLE ? 503 : 500,
        "application/json",
        error.toBuffer());
  }

  static void text(Exchange exchange, int status, String text) {
    exchange
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(text);
  }

  /** What Kubo says where it may not look elsewhere. */
  static String notFound(Cid cid) {
    return "block was not found locally (offline): ipld: could not find " + cid;
  }

  static Problem absent(Cid cid) {
    return new Problem(Problem.Code.NOT_FOUND, notFound(cid));
  }

  /** A failure of a command, as opposed to a wrong argument. */
  static Problem failed(String message) {
    return new Problem(Problem.Code.CONFLICT, message);
  }

  /**
   * The blocks of a store for a job that answers somebody; one that is absent is told as Kubo tells
   * it, once that is certain: what was written through another member may not be here yet.
   */
  static BlockSource source(BlockStore store, JobOutput out) {
    BlockStore reading = store.reading(ReadConsistency.LOCAL);
    return cid -> {
      if (out.isGone()) {
        throw new StoreUnavailableException("the client is gone");
      }
      Optional<Block> block = reading.get(cid).or(() -> store.get(cid));
      if (block.isEmpty()) {
        throw absent(cid);
      }
      return block;
    };
  }

  /** A copy of bytes that are to be sent. */
  static Buffer buffer(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return Buffer.buffer(copy);
  }

  /** A link in Kubo's JSON. */
  static JsonObject link(Cid cid) {
    return new JsonObject().put("/", cid.toString());
  }

  /** A name as clients of the RPC write it into a multipart header. */
  static String decoded(String name) {
    try {
      String decoded = URLDecoder.decode(name, StandardCharsets.UTF_8);
      return decoded.indexOf('\ufffd') < 0 ? decoded : name;
    } catch (IllegalArgumentException e) {
      return name; // As Kubo does.
    }
  }
}
