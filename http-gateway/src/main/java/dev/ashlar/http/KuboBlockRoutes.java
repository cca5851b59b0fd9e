package dev.ashlar.http;

import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** The commands of Kubo's RPC about single blocks. */
final class KuboBlockRoutes {

  private static final int FILES_MAX = 1024;
  private static final int REMOVAL_TRIES_MAX = 16;
  private static final int REFS_PAGE = 1000;

  private final Vertx vertx;
  private final Workers workers;
  private final GatewayOptions.Limits limits;
  private final BlockResponse blocks;
  private final Jobs jobs;
  private final KuboPinRoutes pins;

  KuboBlockRoutes(
      Vertx vertx,
      Workers workers,
      GatewayOptions.Limits limits,
      BlockResponse blocks,
      Jobs jobs,
      KuboPinRoutes pins) {
    this.vertx = vertx;
    this.workers = workers;
    this.limits = limits;
    this.blocks = blocks;
    this.jobs = jobs;
    this.pins = pins;
  }

  void addTo(Router router) {
    Kubo.add(router, "block/put", this::blockPut);
    Kubo.add(router, "block/get", this::blockGet);
    Kubo.add(router, "block/stat", this::blockStat);
    Kubo.add(router, "block/rm", this::blockRm);
    Kubo.add(router, "refs/local", this::refsLocal);
    Kubo.add(router, "repo/ls", this::refsLocal);
  }

  private void blockPut(Exchange exchange) {
    boolean pins = exchange.flag("pin", false);
    PutFormat format = PutFormat.of(exchange);
    HttpServerRequest request = exchange.request();
    List<Future<PutResult>> results = new ArrayList<>();
    List<FormPart> parts = new ArrayList<>();
    AtomicInteger pausedParts = new AtomicInteger();
    MultipartDecoder decoder =
        MultipartDecoder.of(
            exchange,
            (name, fileName, contentType) -> {
              if (results.size() >= FILES_MAX) {
                throw new Kubo.BadArgument("at most " + FILES_MAX + " files are taken at once");
              }
              FormPart part = new FormPart(request, pausedParts);
              parts.add(part);
              results.add(receiver(part, format).receive().onFailure(exchange::fail));
              return part;
            });
    request.exceptionHandler(
        e -> {
          decoder.close();
          refuse(exchange, parts, new Kubo.BadArgument("the multipart body is cut short"));
        });
    request.handler(
        chunk -> {
          try {
            decoder.feed(((BufferInternal) chunk).getByteBuf());
          } catch (Kubo.BadArgument e) {
            request.handler(ignored -> {}).endHandler(end -> decoder.close());
            refuse(exchange, parts, e);
          }
        });
    request.endHandler(
        end -> {
          try {
            decoder.finish();
            putEnded(exchange, results, format, pins);
          } catch (Kubo.BadArgument e) {
            refuse(exchange, parts, e);
          } finally {
            decoder.close();
          }
        });
    exchange.invite();
  }

  private static void refuse(Exchange exchange, List<FormPart> parts, Kubo.BadArgument why) {
    parts.forEach(part -> part.fail(why));
    exchange.fail(why);
  }

  private BodyReceiver<PutResult> receiver(FormPart part, PutFormat format) {
    int blockBytesMax = workers.store().blockBytesMax();
    BlockAssembler assembler =
        BlockAssembler.of(format.codec(), format.function(), -1, blockBytesMax);
    return new BodyReceiver<>(
        vertx, workers, limits, part, assembler, -1, blockBytesMax, BlockStore::put);
  }

  private void putEnded(
      Exchange exchange, List<Future<PutResult>> results, PutFormat format, boolean isPinned) {
    if (exchange.isGone()) {
      return;
    }
    if (results.isEmpty()) {
      exchange.fail(new Kubo.BadArgument("file argument 'data' is required"));
      return;
    }
    Future.join(results)
        .onSuccess(
            all -> {
              List<PutResult> stored = results.stream().map(Future::result).toList();
              if (isPinned) {
                pinAll(exchange, stored, format);
                return;
              }
              Buffer lines = Buffer.buffer();
              stored.forEach(result -> lines.appendBuffer(Kubo.line(format.told(result))));
              Kubo.stream(exchange).end(lines);
            });
  }

  /** What is pinned is walked, which takes as long as it takes. */
  private void pinAll(Exchange exchange, List<PutResult> stored, PutFormat format) {
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          for (PutResult result : stored) {
            Pin pin = new Pin(format.key(result.cid()), Pin.Mode.RECURSIVE, "");
            pins.pin(store, pin, () -> !out.isGone());
            out.line(format.told(result));
          }
        });
  }

  private void blockGet(Exchange exchange) {
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LINEARIZABLE);
    withArgument(
        exchange,
        cid ->
            blocks.sendWhole(
                exchange,
                cid,
                consistency,
                Map.of("Content-Type", "application/vnd.ipld.raw", "X-Stream-Output", "1"),
                Kubo.absent(cid)));
  }

  private void blockStat(Exchange exchange) {
    withArgument(
        exchange,
        cid ->
            exchange.answer(
                workers.call(store -> store.size(cid)),
                size -> {
                  if (size.isEmpty()) {
                    throw Kubo.absent(cid);
                  }
                  exchange.json(
                      200,
                      new JsonObject().put("Key", cid.toString()).put("Size", size.getAsInt()));
                }));
  }

  /** Goes on with the block that the argument leads to. */
  private void withArgument(Exchange exchange, Handler<Cid> next) {
    Kubo.Path path = Kubo.argument(exchange);
    if (path.segments().isEmpty()) {
      next.handle(path.root());
      return;
    }
    exchange.answer(
        workers.call(
            store -> {
              BlockStore here = store.reading(ReadConsistency.LOCAL);
              try (MeteredSource source = new MeteredSource(workers, here, exchange)) {
                return path.cid(source);
              }
            }),
        next);
  }

  private void blockRm(Exchange exchange) {
    boolean force = exchange.flag("force", false);
    boolean quiet = exchange.flag("quiet", false);
    List<Cid> cids = Kubo.cidArguments(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          for (Cid cid : cids) {
            JsonObject line = remove(store, cid, force, out);
            if (!quiet || line.containsKey("Error")) {
              out.line(line);
            }
          }
        });
  }

  /** What is pinned or referred to stays, by itself or through another. */
  private JsonObject remove(RootedBlockStore store, Cid cid, boolean force, JobOutput out) {
    JsonObject line = new JsonObject().put("Hash", cid.toString());
    if (cid.isIdentity()) {
      return line; // It is in its CID, and nowhere else.
    }
    try {
      boolean isFirst = true;
      for (int i = 0; i < REMOVAL_TRIES_MAX; i++) {
        long before = store.roots().appliedIndex();
        if (!store.has(cid)) {
          return isFirst && !force ? line.put("Error", Kubo.notFound(cid)) : line;
        }
        Optional<String> keeper = keeper(store, cid, out);
        if (keeper.isPresent()) {
          return line.put("Error", keeper.get());
        }
        // Not done where something was pinned, or the block was put, since it was looked at.
        GarbageBatch alone = new GarbageBatch(before, before, List.of(cid.multihash()));
        isFirst &= !store.roots().collect(alone);
      }
      line.put("Error", "others pin or put what leads to it all the time: try again");
    } catch (BlockException | DagException e) {
      line.put("Error", e.getMessage());
    }
    return line;
  }

  private Optional<String> keeper(RootedBlockStore store, Cid cid, JobOutput out) {
    Optional<Pin> pin = new Pins(store.roots()).get(cid);
    return pin.isPresent()
        ? Optional.of("pinned: " + pin.get().mode().name().toLowerCase(Locale.ROOT))
        : pins.keeper(store, cid, () -> !out.isGone());
  }

  private void refsLocal(Exchange exchange) {
    Kubo.stream(exchange).setChunked(true);
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
        throw new Kubo.BadArgument(
            "format and cid-codec exclude each other; cid-codec is the newer");
      }
      long codec =
          format.isPresent()
              ? Kubo.option(exchange, "format", "", PutFormat::codecOfFormat)
              : Kubo.option(exchange, "cid-codec", "raw", Multicodec::parse);
      HashFunction function = Kubo.option(exchange, "mhtype", "sha2-256", HashFunction::parse);
      String length = exchange.parameter("mhlen").orElse("-1");
      if (!length.equals("-1") && !length.equals(Integer.toString(function.digestBytes()))) {
        throw new Kubo.BadArgument(
            "mhlen is -1 or " + function.digestBytes() + " for " + function + ", not " + length);
      }
      boolean version0 = format.filter("v0"::equals).isPresent();
      if (version0 && function != HashFunction.SHA2_256) {
        throw new Kubo.BadArgument("format=v0 goes with sha2-256 only");
      }
      return new PutFormat(codec, function, version0);
    }

    private static long codecOfFormat(String format) {
      return Multicodec.parse(
          switch (format) {
            case "v0", "protobuf" -> "dag-pb";
            case "cbor" -> "dag-cbor";
            default -> format;
          });
    }

    JsonObject told(PutResult result) {
      return new JsonObject().put("Key", key(result.cid()).toString()).put("Size", result.size());
    }

    Cid key(Cid cid) {
      return version0 ? cid.toV0().orElse(cid) : cid;
    }
  }
}
