package dev.ashlar.http;

import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.ReadConsistency;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerFileUpload;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The commands of Kubo's RPC that a block store has: {@code block/put|get|stat|rm}, {@code
 * refs/local}, {@code version}, {@code id}, {@code repo/stat}. POST only; errors and streams have
 * Kubo's own form.
 */
final class KuboRoutes {

  /** The Kubo whose behaviour is followed; clients ask for it before anything else. */
  static final String KUBO_LEVEL = "0.43.0";

  private static final int FILES_MAX = 1024;
  private static final int REFS_PAGE = 1000;

  private final Vertx vertx;
  private final Workers workers;
  private final GatewayOptions.Limits limits;
  private final BlockResponse blocks;
  private final Identity identity;

  KuboRoutes(
      Vertx vertx,
      Workers workers,
      GatewayOptions.Limits limits,
      BlockResponse blocks,
      Identity identity) {
    this.vertx = vertx;
    this.workers = workers;
    this.limits = limits;
    this.blocks = blocks;
    this.identity = identity;
  }

  void addTo(Router router) {
    add(router, "block/put", this::blockPut);
    add(router, "block/get", this::blockGet);
    add(router, "block/stat", this::blockStat);
    add(router, "block/rm", this::blockRm);
    add(router, "refs/local", this::refsLocal);
    add(router, "version", this::version);
    add(router, "id", this::id);
    add(router, "repo/stat", this::repoStat);
    router.post("/api/v0/*").handler(handler(e -> text(e, 404, "404 page not found")));
    router
        .options("/api/v0/*")
        .handler(handler(e -> e.response().setStatusCode(204).putHeader("Allow", ALLOWED).end()));
    router
        .route("/api/v0/*")
        .handler(
            handler(
                e -> {
                  e.response().putHeader("Allow", ALLOWED);
                  text(e, 405, "405 - Method Not Allowed: the RPC takes POST");
                }));
  }

  private static final String ALLOWED = "OPTIONS, POST";

  private static void add(Router router, String command, Handler<Exchange> route) {
    router.post("/api/v0/" + command).handler(handler(route));
  }

  /** As {@link Exchange#handler}, with errors in Kubo's form. */
  private static Handler<RoutingContext> handler(Handler<Exchange> route) {
    return Exchange.handler(route, KuboRoutes::refuse);
  }

  private void blockPut(Exchange exchange) {
    if (exchange.flag("pin", false)) {
      throw new BadArgument("pin=true is not supported: this version has no pins");
    }
    exchange.requirePlainBody();
    PutFormat format = PutFormat.of(exchange);
    String contentType = exchange.header("Content-Type").orElse("");
    if (!contentType.toLowerCase(Locale.ROOT).startsWith("multipart/form-data")) {
      throw new BadArgument("file argument 'data' is required: send multipart/form-data");
    }
    List<Future<PutResult>> results = new ArrayList<>();
    List<BodyReceiver<PutResult>> receivers = new ArrayList<>();
    exchange.request().setExpectMultipart(true);
    exchange
        .request()
        .exceptionHandler(
            e -> {
              receivers.forEach(receiver -> receiver.cutShort(e));
              exchange.fail(new BadArgument("the multipart body is malformed: " + e.getMessage()));
            });
    exchange
        .request()
        .uploadHandler(
            upload -> {
              BodyReceiver<PutResult> receiver = receiver(upload, format);
              receivers.add(receiver);
              results.add(receiver.receive().onFailure(exchange::fail));
            });
    exchange
        .request()
        .endHandler(
            end -> {
              BadArgument cut = new BadArgument("the multipart body is cut short");
              receivers.forEach(receiver -> receiver.expectEnd(cut));
              putEnded(exchange, results, format);
            });
    exchange.invite();
  }

  private BodyReceiver<PutResult> receiver(HttpServerFileUpload upload, PutFormat format) {
    int blockBytesMax = workers.store().blockBytesMax();
    BlockAssembler assembler =
        BlockAssembler.of(format.codec(), format.function(), -1, blockBytesMax);
    return new BodyReceiver<>(
        vertx, workers, limits, upload, assembler, -1, blockBytesMax, BlockStore::put);
  }

  private static void putEnded(
      Exchange exchange, List<Future<PutResult>> results, PutFormat format) {
    if (exchange.isGone()) {
      return;
    }
    if (results.isEmpty() || results.size() > FILES_MAX) {
      exchange.fail(
          new BadArgument("one to " + FILES_MAX + " files are required, not " + results.size()));
      return;
    }
    Future.join(results)
        .onSuccess(
            all -> {
              Buffer lines = Buffer.buffer();
              for (Future<PutResult> each : results) {
                PutResult result = each.result();
                lines.appendBuffer(
                    line(
                        new JsonObject()
                            .put("Key", format.key(result.cid()).toString())
                            .put("Size", result.size())));
              }
              stream(exchange).end(lines);
            });
  }

  private void blockGet(Exchange exchange) {
    Cid cid = argument(exchange);
    blocks.sendWhole(
        exchange,
        cid,
        blocks.consistency(exchange, ReadConsistency.LOCAL),
        Map.of("Content-Type", "application/vnd.ipld.raw", "X-Stream-Output", "1"),
        absent(cid));
  }

  private void blockStat(Exchange exchange) {
    Cid cid = argument(exchange);
    exchange.answer(
        workers.call(store -> store.reading(ReadConsistency.LOCAL).size(cid)),
        size -> {
          if (size.isEmpty()) {
            throw absent(cid);
          }
          exchange.json(
              200, new JsonObject().put("Key", cid.toString()).put("Size", size.getAsInt()));
        });
  }

  private void blockRm(Exchange exchange) {
    boolean force = exchange.flag("force", false);
    boolean quiet = exchange.flag("quiet", false);
    List<Cid> cids = arguments(exchange);
    exchange.answer(
        workers.call(store -> remove(store, cids, force, quiet)),
        lines -> stream(exchange).end(lines));
  }

  private static Buffer remove(BlockStore store, List<Cid> cids, boolean force, boolean quiet) {
    Buffer lines = Buffer.buffer();
    for (Cid cid : cids) {
      JsonObject line = new JsonObject().put("Hash", cid.toString());
      try {
        if (!store.delete(cid) && !force) {
          line.put("Error", absent(cid).getMessage());
        }
      } catch (BlockException e) {
        line.put("Error", e.getMessage());
      }
      if (!quiet || line.containsKey("Error")) {
        lines.appendBuffer(line(line));
      }
    }
    return lines;
  }

  private void refsLocal(Exchange exchange) {
    stream(exchange).setChunked(true);
    refsPage(exchange, BlockCursor.START);
  }

  /** Writes a page and goes on once the client has taken it. */
  private void refsPage(Exchange exchange, BlockCursor cursor) {
    exchange.answer(
        workers.call(store -> store.list(cursor, REFS_PAGE)),
        page -> {
          Buffer lines = Buffer.buffer();
          for (BlockPage.Entry entry : page.entries()) {
            Cid raw = entry.cid().withCodec(Multicodec.RAW);
            lines.appendString("{\"Ref\":\"" + raw + "\",\"Err\":\"\"}\n");
          }
          if (page.next().isEmpty()) {
            exchange.response().end(lines);
            return;
          }
          exchange.response().write(lines);
          if (exchange.response().writeQueueFull()) {
            exchange.response().drainHandler(d -> refsPage(exchange, page.next().get()));
          } else {
            refsPage(exchange, page.next().get());
          }
        });
  }

  private void version(Exchange exchange) {
    exchange.json(
        200,
        new JsonObject()
            .put("Version", KUBO_LEVEL)
            .put("Commit", identity.agent())
            .put("Repo", "16")
            .put(
                "System",
                System.getProperty("os.arch")
                    + "/"
                    + System.getProperty("os.name").toLowerCase(Locale.ROOT))
            .put("Golang", ""));
  }

  private void id(Exchange exchange) {
    exchange.json(
        200,
        new JsonObject()
            .put("ID", identity.peerId())
            .put("PublicKey", identity.publicKey())
            .put("Addresses", new JsonArray())
            .put("AgentVersion", identity.agent())
            .put("Protocols", new JsonArray()));
  }

  private void repoStat(Exchange exchange) {
    BlockStoreStatistics statistics = workers.store().statistics();
    exchange.json(
        200,
        new JsonObject()
            .put("RepoSize", statistics.bytes() + statistics.reclaimableBytes())
            .put("StorageMax", Long.MAX_VALUE >>> 10)
            .put("NumObjects", statistics.blocks())
            .put("RepoPath", "ashlar")
            .put("Version", "fs-repo@16"));
  }

  private static Cid argument(Exchange exchange) {
    List<Cid> all = arguments(exchange);
    if (all.size() > 1) {
      throw new BadArgument("one argument \"key\" is taken, not " + all.size());
    }
    return all.get(0);
  }

  private static List<Cid> arguments(Exchange exchange) {
    List<String> texts = exchange.parameters("arg");
    if (texts.isEmpty()) {
      throw new BadArgument("argument \"key\" is required");
    }
    List<Cid> cids = new ArrayList<>();
    for (String text : texts) {
      String cid = text;
      for (String prefix : List.of("/ipfs/", "ipfs://")) {
        cid = cid.startsWith(prefix) ? cid.substring(prefix.length()) : cid;
      }
      try {
        cids.add(Exchange.cid(cid));
      } catch (Problem e) {
        throw new BadArgument("invalid path \"" + text + "\": " + e.getMessage());
      }
    }
    return cids;
  }

  private static io.vertx.core.http.HttpServerResponse stream(Exchange exchange) {
    return exchange
        .response()
        .putHeader("Content-Type", "application/json")
        .putHeader("X-Chunked-Output", "1");
  }

  private static Buffer line(JsonObject json) {
    return json.toBuffer().appendString("\n");
  }

  private static void refuse(Exchange exchange, Problem problem) {
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

  private static void text(Exchange exchange, int status, String text) {
    exchange
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(text);
  }

  private static Problem absent(Cid cid) {
    return new Problem(
        Problem.Code.NOT_FOUND,
        "block was not found locally (offline): ipld: could not find " + cid);
  }

  /** An argument that is missing or wrong: 400 with plain text, as Kubo has it. */
  private static final class BadArgument extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    BadArgument(String message) {
      super(message);
    }
  }

  /**
   * What a put's options ask for.
   *
   * @param codec the CID's codec
   * @param function the hash function
   * @param version0 whether the answer names the block as version 0
   */
  private record PutFormat(long codec, HashFunction function, boolean version0) {

    static PutFormat of(Exchange exchange) {
      Optional<String> format = exchange.parameter("format");
      Optional<String> cidCodec = exchange.parameter("cid-codec");
      if (format.isPresent() && cidCodec.filter(codec -> !codec.equals("raw")).isPresent()) {
        throw new BadArgument("format and cid-codec exclude each other; cid-codec is the newer");
      }
      String codecName =
          switch (format.orElse("")) {
            case "" -> cidCodec.orElse("raw");
            case "v0", "protobuf" -> "dag-pb";
            case "cbor" -> "dag-cbor";
            default -> format.orElseThrow();
          };
      HashFunction function = HashFunction.parse(exchange.parameter("mhtype").orElse("sha2-256"));
      String length = exchange.parameter("mhlen").orElse("-1");
      if (!length.equals("-1") && !length.equals(Integer.toString(function.digestBytes()))) {
        throw new BadArgument(
            "mhlen is -1 or " + function.digestBytes() + " for " + function + ", not " + length);
      }
      boolean version0 = format.filter("v0"::equals).isPresent();
      if (version0 && function != HashFunction.SHA2_256) {
        throw new BadArgument("format=v0 goes with sha2-256 only");
      }
      return new PutFormat(Multicodec.parse(codecName), function, version0);
    }

    Cid key(Cid cid) {
      return version0 ? cid.toV0().orElse(cid) : cid;
    }
  }
}
