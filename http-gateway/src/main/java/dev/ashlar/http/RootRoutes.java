package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.root.Marking;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.Reference;
import dev.ashlar.block.root.References;
import dev.ashlar.block.root.RootStore;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** What is to be kept, as resources: {@code /pins} and {@code /refs}, and {@code /gc}. */
final class RootRoutes {

  private static final int MISSING_TOLD_MAX = 100;

  private final Workers workers;
  private final Jobs jobs;
  private final Collections collections;
  private final int listLimitDefault;

  RootRoutes(Workers workers, Jobs jobs, int listLimitDefault) {
    this.workers = workers;
    this.jobs = jobs;
    this.collections = jobs.collections();
    this.listLimitDefault = listLimitDefault;
  }

  void addTo(Router router) {
    router.get("/pins").handler(Exchange.handler(this::listPins));
    router.get("/pins/:cid").handler(Exchange.handler(this::getPin));
    router.put("/pins/:cid").handler(Exchange.handler(this::putPin));
    router.delete("/pins/:cid").handler(Exchange.handler(this::deletePin));
    router.get("/refs").handler(Exchange.handler(this::listReferences));
    router.get("/refs/*").handler(Exchange.handler(this::getReference));
    router.put("/refs/*").handler(Exchange.handler(this::putReference));
    router.delete("/refs/*").handler(Exchange.handler(this::deleteReference));
    router.post("/gc").handler(Exchange.handler(this::collect));
  }

  private void listPins(Exchange exchange) {
    Optional<Cid> after = exchange.parameter("after").map(Exchange::cid);
    int limit = limit(exchange);
    exchange.answer(
        workers.call(store -> new Pins(store.roots()).list(after, limit)),
        pins -> {
          Buffer lines = Buffer.buffer();
          pins.forEach(pin -> lines.appendBuffer(line(json(pin))));
          if (pins.size() == limit) {
            String next = pins.get(limit - 1).cid().toString();
            lines.appendBuffer(line(new JsonObject().put("next", next)));
          }
          ndjson(exchange, lines);
        });
  }

  private void getPin(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    exchange.answer(
        workers.call(store -> new Pins(store.roots()).get(cid)),
        pin -> exchange.json(200, json(pin.orElseThrow(() -> notPinned(cid)))));
  }

  private void putPin(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    Pin.Mode mode =
        switch (exchange.parameter("mode").orElse("recursive")) {
          case "recursive" -> Pin.Mode.RECURSIVE;
          case "direct" -> Pin.Mode.DIRECT;
          default -> throw new Problem(Problem.Code.INVALID_REQUEST, "mode is recursive or direct");
        };
    Pin pin = new Pin(cid, mode, exchange.parameter("name").orElse(""));
    jobs.run(
        exchange,
        (store, out) -> {
          PinWalk walked = pin(store, pin, out);
          Pins.Added added = walked.added().orElseThrow();
          Marking marking = walked.marking();
          JsonArray missing = new JsonArray();
          marking.missing().stream()
              .limit(MISSING_TOLD_MAX)
              .forEach(each -> missing.add(each.toString()));
          out.status(added.isNew() ? 201 : 200)
              .header("Content-Type", "application/json")
              .line(
                  json(pin)
                      .put("new", added.isNew())
                      .put("blocks", marking.marked())
                      .put("missingCount", marking.missingCount())
                      .put("missing", missing));
        });
  }

  private void deletePin(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    exchange.answer(
        workers.call(store -> new Pins(store.roots()).remove(cid)),
        removed ->
            exchange.json(
                200,
                new JsonObject().put("cid", cid.toString()).put("removed", removed.isPresent())));
  }

  private void listReferences(Exchange exchange) {
    String prefix =
        exchange
            .parameter("prefix")
            .filter(text -> !text.isEmpty())
            .map(Reference::requireName)
            .orElse("");
    Optional<String> after = exchange.parameter("after").map(Reference::requireName);
    int limit = limit(exchange);
    exchange.answer(
        workers.call(store -> new References(store.roots()).list(prefix, after, limit)),
        references -> {
          Buffer lines = Buffer.buffer();
          references.forEach(reference -> lines.appendBuffer(line(json(reference))));
          if (references.size() == limit) {
            String next = references.get(limit - 1).name();
            lines.appendBuffer(line(new JsonObject().put("next", next)));
          }
          ndjson(exchange, lines);
        });
  }

  private void getReference(Exchange exchange) {
    String name = name(exchange);
    exchange.answer(
        workers.call(store -> new References(store.roots()).get(name)),
        reference ->
            exchange.json(
                200,
                json(
                    reference.orElseThrow(
                        () ->
                            new Problem(
                                Problem.Code.NOT_FOUND, "there is no reference " + name)))));
  }

  private void putReference(Exchange exchange) {
    String name = name(exchange);
    Cid cid =
        Exchange.cid(
            exchange
                .parameter("cid")
                .orElseThrow(
                    () -> new Problem(Problem.Code.INVALID_REQUEST, "parameter cid is missing")));
    References.Expected expected = expected(exchange);
    exchange.answer(
        workers.call(store -> set(new References(store.roots()), name, expected, cid)),
        reference -> exchange.json(200, json(reference)));
  }

  private void deleteReference(Exchange exchange) {
    String name = name(exchange);
    References.Expected expected = expected(exchange);
    exchange.answer(
        workers.call(store -> remove(new References(store.roots()), name, expected)),
        removed -> exchange.json(200, new JsonObject().put("name", name).put("removed", removed)));
  }

  private static Reference set(
      References references, String name, References.Expected expected, Cid cid) {
    boolean done = references.set(name, expected, cid);
    Optional<Reference> now = references.get(name);
    if (!done || now.isEmpty()) {
      throw notAsExpected(name, now);
    }
    return now.get();
  }

  private static boolean remove(References references, String name, References.Expected expected) {
    References.Removal removal = references.remove(name, expected);
    if (removal == References.Removal.DIFFERENT) {
      throw notAsExpected(name, references.get(name));
    }
    return removal == References.Removal.REMOVED;
  }

  private static Problem notAsExpected(String name, Optional<Reference> now) {
    return new Problem(
        Problem.Code.CONFLICT,
        now.map(reference -> name + " leads to " + reference.cid())
            .orElse("there is no reference " + name));
  }

  private void collect(Exchange exchange) {
    Collections.Wanted wanted = collections.wanted(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.LAST_LINE,
        (store, out) -> {
          out.header("Content-Type", "application/x-ndjson");
          collections.run(
              store,
              wanted,
              out::isGone,
              cid -> out.line(new JsonObject().put("deleted", cid.toString())),
              progress -> {
                out.line(new JsonObject().put("progress", Collections.json(progress)));
                out.flush();
              },
              end ->
                  out.line(new JsonObject().put("end", true).put("result", Collections.json(end))));
        });
  }

  /** It stays though something is missing. */
  private PinWalk pin(RootedBlockStore store, Pin pin, JobOutput out) {
    try {
      return PinWalk.add(store, pin, collections.limits(), () -> !out.isGone(), marking -> true);
    } catch (MalformedException e) {
      // What it leads to can never be known.
      throw new Problem(Problem.Code.INVALID_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  private static References.Expected expected(Exchange exchange) {
    String text = exchange.parameter("expected").orElse("any");
    return switch (text) {
      case "any" -> new References.Expected.Any();
      case "none" -> new References.Expected.Absent();
      default -> new References.Expected.LeadsTo(Exchange.cid(text));
    };
  }

  /** The name as it stands in the path, undecorated: what the router made of it does not count. */
  private static String name(Exchange exchange) {
    String path = exchange.request().path();
    String prefix = "/refs/";
    if (!path.startsWith(prefix)) {
      throw new Problem(Problem.Code.INVALID_REQUEST, "the path is " + prefix + "NAME");
    }
    try {
      String name = decoded(path.substring(prefix.length()));
      for (String segment : name.split("/", -1)) {
        if (segment.equals(".") || segment.equals("..")) {
          throw new IllegalArgumentException("it has a segment " + segment);
        }
      }
      return Reference.requireName(name);
    } catch (IllegalArgumentException | CharacterCodingException e) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "not the name of a reference: " + e.getMessage());
    }
  }

  /** Percent-encoding undone; what is not UTF-8 then is refused. */
  private static String decoded(String text) throws CharacterCodingException {
    String bytes = URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.ISO_8859_1);
    return StandardCharsets.UTF_8
        .newDecoder()
        .decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)))
        .toString();
  }

  private int limit(Exchange exchange) {
    return exchange.number("limit", 1, RootStore.LIST_LIMIT_MAX, listLimitDefault);
  }

  private static JsonObject json(Pin pin) {
    return new JsonObject()
        .put("cid", pin.cid().toString())
        .put("mode", pin.mode().name().toLowerCase(Locale.ROOT))
        .put("name", pin.name());
  }

  private static JsonObject json(Reference reference) {
    return new JsonObject()
        .put("name", reference.name())
        .put("cid", reference.cid().toString())
        .put("index", reference.changedAt());
  }

  private static Buffer line(JsonObject json) {
    return json.toBuffer().appendByte((byte) '\n');
  }

  private static void ndjson(Exchange exchange, Buffer lines) {
    exchange.endWhenWritten(
        exchange.response().putHeader("Content-Type", "application/x-ndjson"), lines);
  }

  private static Problem notPinned(Cid cid) {
    return new Problem(Problem.Code.NOT_FOUND, cid + " is not pinned");
  }
}
