package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Many blocks in one request: a CAR into the store, and lists of CIDs to be fetched as a CAR,
 * looked for, or deleted.
 */
final class BulkRoutes {

  private static final int LIST_BYTES_MAX = 2 << 20;
  private static final int CIDS_MAX = 10_000;
  private static final String NDJSON = "application/x-ndjson";

  private final Jobs jobs;

  BulkRoutes(Jobs jobs) {
    this.jobs = jobs;
  }

  void addTo(Router router) {
    router
        .post("/blocks")
        .handler(
            Exchange.handler(
                exchange -> {
                  boolean isCar =
                      exchange
                          .header("Content-Type")
                          .filter(type -> type.startsWith(ResponseFormat.CAR.contentType()))
                          .isPresent();
                  if (isCar) {
                    putAll(exchange);
                  } else {
                    exchange.next();
                  }
                }));
    router.post("/blocks/get").handler(Exchange.handler(this::getAll));
    router.post("/blocks/has").handler(Exchange.handler(this::hasAll));
    router.post("/blocks/delete").handler(Exchange.handler(this::deleteAll));
  }

  /** Each block that is refused is named, and the others are stored. */
  private void putAll(Exchange exchange) {
    exchange.requirePlainBody();
    exchange.invite();
    BodyInput body = jobs.body(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.LAST_LINE,
        (store, out) -> {
          out.header("Content-Type", NDJSON);
          try (CarReader reader = CarReader.open(body, CarLimits.blocksOf(store.blockBytesMax()))) {
            new Import(store, out).run(reader);
          }
        });
  }

  /** One CAR on its way into the store. */
  private static final class Import {

    private final JobOutput out;
    private final PutBatch batch;
    private long refused;

    Import(BlockStore store, JobOutput out) {
      this.out = out;
      this.batch = new PutBatch(store, this::tell);
    }

    /** What came before the file turns wrong is kept; the last line says that it did. */
    void run(CarReader reader) throws IOException {
      JsonObject end = new JsonObject().put("end", true);
      boolean more = true;
      while (more) {
        try {
          Optional<Block> next = reader.next();
          more = next.isPresent();
          next.ifPresent(this::add);
        } catch (CarException e) {
          Throwable why = e.getCause() instanceof BlockException refusal ? refusal : e;
          more = why != e;
          JsonObject told = more ? new JsonObject() : end;
          Problem problem = Problem.of(why);
          told.put("offset", e.offset())
              .put("error", e.getMessage())
              .put("code", problem.code().stableName());
          if (more) {
            refused++;
            out.line(told);
          }
        }
      }
      batch.flush();
      JsonArray roots = new JsonArray();
      reader.roots().forEach(root -> roots.add(root.toString()));
      out.line(
          end.put("roots", roots)
              .put("blocks", batch.blocks())
              .put("bytes", batch.bytes())
              .put("new", batch.created())
              .put("refused", refused));
    }

    private void add(Block block) {
      if (batch.add(block)) {
        out.flush();
      }
    }

    private void tell(PutResult result) {
      out.line(
          new JsonObject()
              .put("cid", result.cid().toString())
              .put("size", result.size())
              .put("new", result.isNew()));
    }
  }

  /** All that is asked for is there, or nothing is sent. */
  private void getAll(Exchange exchange) {
    ReadConsistency consistency = exchange.consistency(ReadConsistency.LINEARIZABLE);
    boolean skips = exchange.flag("skip-missing", false);
    withList(
        exchange,
        JobOutput.Failure.BREAKS_OFF,
        (store, out, cids) -> {
          BlockStore reading = store.reading(consistency);
          List<Cid> present = new ArrayList<>();
          for (Cid cid : cids) {
            if (reading.has(cid)) {
              present.add(cid);
            } else if (!skips) {
              throw new Problem(Problem.Code.NOT_FOUND, "block " + cid + " is not here");
            }
          }
          out.header("Content-Type", ResponseFormat.CAR.contentType() + "; version=1");
          CarWriter writer = CarWriter.open(out, List.of());
          for (Cid cid : present) {
            Optional<Block> block = reading.get(cid);
            if (block.isEmpty() && !skips) {
              throw new Problem(Problem.Code.NOT_FOUND, "block " + cid + " was deleted meanwhile");
            }
            if (block.isPresent() && !cid.isIdentity()) {
              writer.write(block.get());
            }
          }
          writer.flush();
        });
  }

  private void hasAll(Exchange exchange) {
    ReadConsistency consistency = exchange.consistency(ReadConsistency.LINEARIZABLE);
    withList(
        exchange,
        JobOutput.Failure.LAST_LINE,
        (store, out, cids) -> {
          BlockStore reading = store.reading(consistency);
          out.header("Content-Type", NDJSON);
          for (Cid cid : cids) {
            OptionalInt size = reading.size(cid);
            JsonObject line =
                new JsonObject().put("cid", cid.toString()).put("present", size.isPresent());
            size.ifPresent(bytes -> line.put("size", bytes));
            out.line(line);
          }
        });
  }

  private void deleteAll(Exchange exchange) {
    withList(
        exchange,
        JobOutput.Failure.LAST_LINE,
        (store, out, cids) -> {
          out.header("Content-Type", NDJSON);
          for (Cid cid : cids) {
            out.line(new JsonObject().put("cid", cid.toString()).put("deleted", store.delete(cid)));
          }
        });
  }

  @FunctionalInterface
  private interface ListJob {
    void run(BlockStore store, JobOutput out, List<Cid> cids) throws IOException;
  }

  private void withList(Exchange exchange, JobOutput.Failure failure, ListJob job) {
    exchange.requirePlainBody();
    exchange.invite();
    BodyInput body = jobs.body(exchange);
    jobs.run(
        exchange,
        failure,
        (store, out) -> {
          byte[] bytes = body.readNBytes(LIST_BYTES_MAX + 1);
          if (bytes.length > LIST_BYTES_MAX) {
            throw new Problem(
                Problem.Code.TOO_LARGE,
                "a list of CIDs has at most " + LIST_BYTES_MAX + " bytes; send it in parts");
          }
          job.run(store, out, cids(new String(bytes, StandardCharsets.UTF_8)));
        });
  }

  /** A JSON array of strings, or one CID a line. */
  private static List<Cid> cids(String text) {
    List<String> names = new ArrayList<>();
    String begin = text.stripLeading();
    if (begin.startsWith("[") || begin.startsWith("{")) {
      try {
        new JsonArray(text).forEach(name -> names.add(String.valueOf(name)));
      } catch (DecodeException e) {
        throw new Problem(
            Problem.Code.INVALID_REQUEST,
            "the list is neither a JSON array of CIDs nor one CID a line");
      }
    } else {
      text.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(names::add);
    }
    if (names.isEmpty() || names.size() > CIDS_MAX) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "a list has 1 to " + CIDS_MAX + " CIDs: a line each");
    }
    return names.stream().map(Exchange::cid).toList();
  }
}
