package dev.ashlar.http;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.root.Marking;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.Reference;
import dev.ashlar.block.root.References;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** The commands of Kubo's RPC about pins. */
final class KuboPinRoutes {

  private static final int PAGE = 1000;
  private static final int ARGUMENTS_MAX = 1000;
  private static final int UPDATE_TRIES_MAX = 16;

  private final Jobs jobs;

  KuboPinRoutes(Jobs jobs) {
    this.jobs = jobs;
  }

  void addTo(Router router) {
    Kubo.add(router, "pin/add", this::add);
    Kubo.add(router, "pin/ls", this::list);
    Kubo.add(router, "pin/rm", this::remove);
    Kubo.add(router, "pin/update", this::update);
    Kubo.add(router, "pin/verify", this::verify);
  }

  private void add(Exchange exchange) {
    List<Kubo.Path> paths = few(Kubo.arguments(exchange));
    boolean recursive = exchange.flag("recursive", true);
    boolean progress = exchange.flag("progress", false);
    String name = exchange.parameter("name").orElse("");
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          JsonArray pinned = new JsonArray();
          BlockStore here = store.reading(ReadConsistency.LOCAL);
          for (Kubo.Path path : paths) {
            Cid cid = path.cid(here::get);
            Pin.Mode mode = recursive ? Pin.Mode.RECURSIVE : Pin.Mode.DIRECT;
            PinWalk walked = pin(store, new Pin(cid, mode, name), () -> !out.isGone());
            if (progress) {
              Kubo.stream(out);
              out.line(new JsonObject().put("Progress", walked.marking().marked()));
            }
            pinned.add(cid.toString());
          }
          Kubo.stream(out);
          out.line(new JsonObject().put("Pins", pinned));
        });
  }

  /**
   * Pins, and takes it back where something is missing: Kubo has no pins of what is not whole.
   *
   * @throws Problem when something is missing
   */
  PinWalk pin(RootedBlockStore store, Pin pin, BooleanSupplier goesOn) {
    PinWalk walked =
        PinWalk.add(
            store,
            pin,
            jobs.collections().limits(),
            goesOn,
            marking -> marking.missingCount() == 0);
    if (walked.added().isEmpty()) {
      throw Kubo.failed("pin: " + Kubo.notFound(walked.marking().missing().get(0)));
    }
    return walked;
  }

  private Marking marking(RootedBlockStore store, BooleanSupplier goesOn, Consumer<Cid> visitor) {
    BlockStore here = store.reading(ReadConsistency.LOCAL);
    return new Marking(here::get, here::has, jobs.collections().limits(), goesOn, visitor);
  }

  private void list(Exchange exchange) {
    String type = exchange.parameter("type").orElse("all");
    if (!List.of("all", "direct", "indirect", "recursive").contains(type)) {
      throw new Kubo.BadArgument(
          "invalid type '" + type + "', must be one of {direct, indirect, recursive, all}");
    }
    boolean streams = exchange.flag("stream", false);
    boolean names = exchange.flag("names", false);
    Optional<String> name = exchange.parameter("name").filter(text -> !text.isEmpty());
    List<Kubo.Path> paths =
        exchange.parameters("arg").isEmpty() ? List.of() : few(Kubo.arguments(exchange));
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          Listed listed = new Listed(out, streams, names || name.isPresent());
          if (paths.isEmpty()) {
            listAll(store, type, name, listed, out);
          } else {
            for (Kubo.Path path : paths) {
              listOne(store, type, path, listed, out);
            }
          }
          listed.end();
        });
  }

  private void listAll(
      RootedBlockStore store, String type, Optional<String> name, Listed listed, JobOutput out) {
    boolean all = type.equals("all");
    Predicate<Pin> named = pin -> name.isEmpty() || pin.name().contains(name.get());
    Set<Cid> told = new HashSet<>();
    each(
        store,
        pin -> {
          boolean wanted = all || type.equals(typeOf(pin));
          told.add(pin.cid().toV1());
          if (wanted && named.test(pin)) {
            listed.add(pin.cid(), typeOf(pin), pin.name());
          }
        });
    if ((all || type.equals("indirect")) && name.isEmpty()) {
      Marking marking =
          marking(
              store,
              () -> !out.isGone(),
              cid -> {
                if (!told.contains(cid.toV1())) {
                  listed.add(cid, "indirect", "");
                }
              });
      each(
          store,
          pin -> {
            if (pin.mode() == Pin.Mode.RECURSIVE) {
              marking.markAll(pin.cid());
            }
          });
    }
  }

  private void listOne(
      RootedBlockStore store, String type, Kubo.Path path, Listed listed, JobOutput out) {
    Cid cid = path.cid(store.reading(ReadConsistency.LOCAL)::get);
    Optional<Pin> pin = new Pins(store.roots()).get(cid);
    boolean all = type.equals("all");
    if (pin.filter(p -> all || type.equals(typeOf(p))).isPresent()) {
      listed.add(cid, typeOf(pin.get()), pin.get().name());
      return;
    }
    Optional<Cid> through =
        all || type.equals("indirect")
            ? new Search(store, cid, () -> !out.isGone()).pin()
            : Optional.empty();
    if (through.isEmpty()) {
      throw Kubo.failed("path '" + path.text() + "' is not pinned");
    }
    listed.add(cid, "indirect through " + through.get(), "");
  }

  /** What keeps a block that has no pin of its own, in words; empty where nothing does. */
  Optional<String> keeper(RootedBlockStore store, Cid cid, BooleanSupplier goesOn) {
    Search search = new Search(store, cid, goesOn);
    return search
        .pin()
        .map(pin -> "pinned: via " + pin)
        .or(() -> search.reference().map(name -> "kept by reference " + name));
  }

  /**
   * Looks for a root that keeps a block, with one marking for all of them: what one has marked
   * without meeting the block need not be walked again by the next.
   */
  private final class Search {
    private final RootedBlockStore store;
    private final Cid wanted;
    private final Marking marking;
    private boolean met;

    Search(RootedBlockStore store, Cid wanted, BooleanSupplier goesOn) {
      this.store = store;
      this.wanted = wanted;
      this.marking =
          marking(store, goesOn, each -> met |= each.multihash().equals(wanted.multihash()));
    }

    /** A pin, of another CID, that keeps the block; empty where there is none. */
    Optional<Cid> pin() {
      List<Cid> found = new ArrayList<>();
      each(
          store,
          pin -> {
            if (found.isEmpty() && !pin.cid().equals(wanted)) {
              marking.mark(pin);
              if (met) {
                found.add(pin.cid());
              }
            }
          });
      return found.stream().findFirst();
    }

    /** The name of a reference that keeps the block; empty where there is none. */
    Optional<String> reference() {
      References references = new References(store.roots());
      Optional<String> after = Optional.empty();
      List<Reference> page;
      do {
        page = references.list("", after, PAGE);
        for (Reference reference : page) {
          marking.markAll(reference.cid());
          if (met) {
            return Optional.of(reference.name());
          }
          after = Optional.of(reference.name());
        }
      } while (page.size() == PAGE);
      return Optional.empty();
    }
  }

  private void remove(Exchange exchange) {
    List<Kubo.Path> paths = few(Kubo.arguments(exchange));
    boolean recursive = exchange.flag("recursive", true);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          JsonArray removed = new JsonArray();
          Pins pins = new Pins(store.roots());
          for (Kubo.Path path : paths) {
            Cid cid = path.cid(store.reading(ReadConsistency.LOCAL)::get);
            Pin pin =
                pins.get(cid).orElseThrow(() -> Kubo.failed("not pinned or pinned indirectly"));
            if (!recursive && pin.mode() == Pin.Mode.RECURSIVE) {
              throw Kubo.failed(cid + " is pinned recursively");
            }
            pins.remove(cid);
            removed.add(cid.toString());
          }
          Kubo.stream(out);
          out.line(new JsonObject().put("Pins", removed));
        });
  }

  private void update(Exchange exchange) {
    List<Kubo.Path> paths = Kubo.arguments(exchange);
    if (paths.size() != 2) {
      throw new Kubo.BadArgument("two arguments are required: the old pin and the new one");
    }
    boolean unpins = exchange.flag("unpin", true);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          BlockStore here = store.reading(ReadConsistency.LOCAL);
          Cid from = paths.get(0).cid(here::get);
          Cid to = paths.get(1).cid(here::get);
          Pins pins = new Pins(store.roots());
          Pin pin =
              pins.get(from)
                  .filter(p -> p.mode() == Pin.Mode.RECURSIVE)
                  .orElseThrow(() -> Kubo.failed("'from' cid was not recursively pinned already"));
          // It is walked when it is pinned, and nothing of it can be collected any more.
          Pin next = new Pin(to, Pin.Mode.RECURSIVE, pin.name());
          boolean done = false;
          for (int i = 0; i < UPDATE_TRIES_MAX && !done; i++) {
            Pins.Added added = pin(store, next, () -> !out.isGone()).added().orElseThrow();
            done = pins.update(from, added, unpins);
          }
          if (!done) {
            throw Kubo.failed("others change the pin of " + to + " all the time: try again");
          }
          Kubo.stream(out);
          out.line(
              new JsonObject()
                  .put("Pins", new JsonArray().add(from.toString()).add(to.toString())));
        });
  }

  private void verify(Exchange exchange) {
    boolean verbose = exchange.flag("verbose", false);
    boolean quiet = exchange.flag("quiet", false);
    if (verbose && quiet) {
      throw new Kubo.BadArgument("the --verbose and --quiet options can not be used together");
    }
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          each(
              store,
              pin -> {
                if (pin.mode() == Pin.Mode.RECURSIVE) {
                  JsonObject line = verified(store, pin, out);
                  boolean isWhole = line.getBoolean("Ok");
                  if (verbose || !isWhole) {
                    out.line(line);
                  }
                }
              });
        });
  }

  private JsonObject verified(RootedBlockStore store, Pin pin, JobOutput out) {
    Marking marking = marking(store, () -> !out.isGone(), cid -> {});
    marking.markAll(pin.cid());
    JsonObject line =
        new JsonObject().put("Cid", pin.cid().toString()).put("Ok", marking.missingCount() == 0);
    if (marking.missingCount() > 0) {
      JsonArray bad = new JsonArray();
      for (Cid cid : marking.missing()) {
        bad.add(new JsonObject().put("Cid", cid.toString()).put("Err", Kubo.notFound(cid)));
      }
      line.put("BadNodes", bad);
    }
    return line;
  }

  private static void each(RootedBlockStore store, Consumer<Pin> action) {
    Pins pins = new Pins(store.roots());
    Optional<Cid> after = Optional.empty();
    List<Pin> page;
    do {
      page = pins.list(after, PAGE);
      page.forEach(action);
      after = page.isEmpty() ? after : Optional.of(page.get(page.size() - 1).cid());
    } while (page.size() == PAGE);
  }

  private static String typeOf(Pin pin) {
    return pin.mode().name().toLowerCase(Locale.ROOT);
  }

  private static List<Kubo.Path> few(List<Kubo.Path> paths) {
    if (paths.size() > ARGUMENTS_MAX) {
      throw new Kubo.BadArgument("at most " + ARGUMENTS_MAX + " arguments are taken");
    }
    return paths;
  }

  /** A listing in one of Kubo's two forms, written as it is made. */
  private static final class Listed {

    private final JobOutput out;
    private final boolean streams;
    private final boolean names;
    private boolean isFirst = true;

    Listed(JobOutput out, boolean streams, boolean names) {
      this.out = out;
      this.streams = streams;
      this.names = names;
    }

    void add(Cid cid, String type, String name) {
      JsonObject value = new JsonObject();
      if (streams) {
        value.put("Cid", cid.toString());
      }
      value.put("Type", type).put("Name", names ? name : "");
      if (streams) {
        out.line(value);
        return;
      }
      String before = isFirst ? "{\"Keys\":{" : ",";
      isFirst = false;
      out.write(Buffer.buffer(before + "\"" + cid + "\":" + value.encode()));
    }

    void end() {
      if (!streams) {
        out.write(Buffer.buffer(isFirst ? "{\"Keys\":{}}\n" : "}}\n"));
      }
    }
  }
}
