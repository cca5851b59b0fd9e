package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.root.Effect;
import dev.ashlar.block.root.FeedPage;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Reference;
import dev.ashlar.block.root.RootChange;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code GET /changes}: what has changed, in log order, as lines of JSON or as server-sent events
 * (WHATWG HTML, "Server-sent events"). Whoever was cut off goes on after the last index it was
 * told, at any node of the cluster.
 */
final class FeedRoutes {

  private static final int ENTRIES_MAX = 100;
  private static final long LOOK_MILLIS = 100;
  private static final long QUIET_MILLIS = 10_000;
  private static final String EVENTS = "text/event-stream";

  private final Vertx vertx;
  private final Workers workers;
  private final int feedsMax;
  private final AtomicInteger feeds = new AtomicInteger();

  FeedRoutes(Vertx vertx, Workers workers, int feedsMax) {
    this.vertx = vertx;
    this.workers = workers;
    this.feedsMax = feedsMax;
  }

  void addTo(Router router) {
    router.get("/changes").handler(Exchange.handler(this::changes));
  }

  private void changes(Exchange exchange) {
    Optional<Long> since =
        exchange
            .parameter("since")
            .or(() -> exchange.header("Last-Event-ID"))
            .map(FeedRoutes::index);
    boolean follows = exchange.flag("follow", true);
    boolean asEvents = exchange.header("Accept").orElse("").contains(EVENTS);
    Optional<String> cluster = exchange.parameter("cluster");
    if (feeds.incrementAndGet() > feedsMax) {
      feeds.decrementAndGet();
      throw new StoreUnavailableException("too many follow the feed already; try again later");
    }
    Feed feed = new Feed(exchange, follows, asEvents);
    exchange.response().closeHandler(nothing -> feed.close());
    exchange.response().endHandler(nothing -> feed.close());
    exchange.answer(
        workers.call(
            store -> {
              Optional<UUID> origin = store.roots().origin();
              long applied = store.roots().appliedIndex();
              if (cluster.isPresent() && !cluster.equals(origin.map(UUID::toString))) {
                throw new Problem(
                    Problem.Code.GONE,
                    "this is cluster "
                        + origin.map(UUID::toString).orElse("none")
                        + ": list it anew, and go on after "
                        + applied);
              }
              long from = since.orElse(applied);
              if (from > applied) {
                throw new Problem(
                    Problem.Code.INVALID_REQUEST,
                    "since is above what has been applied, " + applied);
              }
              return new Begin(origin, from, store.roots().changesSince(from, ENTRIES_MAX));
            }),
        feed::begin);
  }

  /** Where a feed begins. */
  private record Begin(Optional<UUID> origin, long from, FeedPage first) {}

  private static long index(String text) {
    try {
      long index = Long.parseLong(text);
      if (index >= 0) {
        return index;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new Problem(Problem.Code.INVALID_REQUEST, "since is a log index");
  }

  /** One reader. On its event loop. */
  private final class Feed {

    private final Exchange exchange;
    private final boolean follows;
    private final boolean asEvents;
    private long at;
    private long quietMillis;
    private boolean closed;

    Feed(Exchange exchange, boolean follows, boolean asEvents) {
      this.exchange = exchange;
      this.follows = follows;
      this.asEvents = asEvents;
    }

    void close() {
      if (!closed) {
        closed = true;
        feeds.decrementAndGet();
      }
    }

    void begin(Begin begin) {
      exchange
          .response()
          .setChunked(true)
          .putHeader("Content-Type", asEvents ? EVENTS : "application/x-ndjson")
          .putHeader("Cache-Control", "no-store");
      JsonObject head = new JsonObject().put("type", "begin").put("since", begin.from());
      begin.origin().ifPresent(cluster -> head.put("cluster", cluster.toString()));
      at = begin.from();
      take(begin.first(), event("begin", begin.from(), head));
    }

    private void take(FeedPage page, Buffer before) {
      Buffer out = before;
      for (Effect effect : page.effects()) {
        JsonObject json = json(effect);
        if (json.size() > 0) {
          out.appendBuffer(event(json.getString("type"), effect.index(), json));
        }
      }
      boolean isBehind = page.upTo() > at;
      at = page.upTo();
      if (!isBehind && !follows) {
        out.appendBuffer(event("end", at, new JsonObject().put("type", "end").put("index", at)));
        exchange.response().end(out);
        return;
      }
      quietMillis = out.length() > 0 ? 0 : quietMillis + LOOK_MILLIS;
      if (quietMillis >= QUIET_MILLIS) {
        // Whoever listens, and whatever lies between, sees that it is still there.
        quietMillis = 0;
        out = quiet();
      }
      if (out.length() == 0) {
        lookAgain(isBehind);
      } else {
        exchange.write(out, workers.limits()).onSuccess(written -> lookAgain(isBehind));
      }
    }

    private void lookAgain(boolean atOnce) {
      if (closed || exchange.isGone()) {
        return;
      }
      if (atOnce) {
        look();
      } else {
        vertx.setTimer(LOOK_MILLIS, id -> look());
      }
    }

    private void look() {
      if (closed || exchange.isGone()) {
        return;
      }
      workers
          .call(store -> store.roots().changesSince(at, ENTRIES_MAX))
          .onSuccess(
              page -> {
                if (!closed && !exchange.isGone()) {
                  take(page, Buffer.buffer());
                }
              })
          .onFailure(this::fail);
    }

    /** The status has gone out: what is wrong is the last thing that is told. */
    private void fail(Throwable why) {
      if (closed || exchange.isGone()) {
        return;
      }
      Problem problem = Problem.of(why);
      JsonObject error =
          new JsonObject()
              .put("type", "error")
              .put("code", problem.toJson().getString("code"))
              .put("detail", problem.getMessage());
      if (why instanceof FeedGoneException gone) {
        error.put("index", gone.index());
      }
      exchange.response().end(event("error", at, error));
    }

    private Buffer quiet() {
      return asEvents
          ? Buffer.buffer(": quiet\n\n")
          : event("none", at, new JsonObject().put("type", "none").put("index", at));
    }

    private Buffer event(String type, long index, JsonObject json) {
      return asEvents
          ? Buffer.buffer("id: " + index + "\nevent: " + type + "\ndata: " + json.encode() + "\n\n")
          : json.toBuffer().appendByte((byte) '\n');
    }
  }

  /** What an effect is to a reader; empty for what is nobody's concern. */
  private static JsonObject json(Effect effect) {
    JsonObject json = new JsonObject();
    if (effect instanceof Effect.Put put) {
      json.put("type", "put")
          .put("index", put.index())
          .put("cid", put.cid().toString())
          .put("size", put.size());
    } else if (effect instanceof Effect.Deleted deleted) {
      JsonArray cids = new JsonArray();
      for (Multihash multihash : deleted.blocks()) {
        cids.add(Cid.v1(Multicodec.RAW, multihash).toString());
      }
      json.put("type", "delete").put("index", deleted.index()).put("cids", cids);
    } else if (effect instanceof Effect.Roots roots) {
      JsonArray changes = new JsonArray();
      for (RootChange change : roots.changes()) {
        if (change.key().kind() != RootKey.Kind.STAMP) {
          changes.add(json(change, roots.index()));
        }
      }
      if (!changes.isEmpty()) {
        json.put("type", "roots").put("index", roots.index()).put("changes", changes);
      }
    }
    return json;
  }

  private static JsonObject json(RootChange change, long index) {
    JsonObject json = new JsonObject();
    Optional<RootRecord> set =
        change.value().map(value -> new RootRecord(change.key(), value, index));
    if (change.key().kind() == RootKey.Kind.PIN) {
      json.put("pin", Cid.decode(change.key().rest()).toString());
      set.map(Pin::of)
          .ifPresent(
              pin ->
                  json.put("pin", pin.cid().toString())
                      .put("mode", pin.mode().name().toLowerCase(Locale.ROOT))
                      .put("name", pin.name()));
    } else {
      json.put("ref", new String(change.key().rest(), java.nio.charset.StandardCharsets.UTF_8));
      set.map(Reference::of).ifPresent(reference -> json.put("cid", reference.cid().toString()));
    }
    return json.put("removed", set.isEmpty());
  }
}
