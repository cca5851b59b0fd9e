package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.ReadConsistency;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.util.Locale;
import java.util.Optional;

/** The commands of Kubo's RPC about the repository and the node. */
final class KuboRepoRoutes {

  /** The Kubo whose behaviour is followed; clients ask for it before anything else. */
  private static final String KUBO_LEVEL = "0.43.0";

  private static final String REPOSITORY_VERSION = "16";
  private static final int PAGE = 256;

  private final Workers workers;
  private final Jobs jobs;
  private final Identity identity;

  KuboRepoRoutes(Workers workers, Jobs jobs, Identity identity) {
    this.workers = workers;
    this.jobs = jobs;
    this.identity = identity;
  }

  void addTo(Router router) {
    Kubo.add(router, "version", this::version);
    Kubo.add(router, "id", this::id);
    Kubo.add(router, "repo/stat", this::repoStat);
    Kubo.add(router, "repo/version", this::repoVersion);
    Kubo.add(router, "repo/gc", this::repoGc);
    Kubo.add(router, "repo/verify", this::repoVerify);
  }

  private void repoVersion(Exchange exchange) {
    exchange.json(200, new JsonObject().put("Version", REPOSITORY_VERSION));
  }

  /** As everywhere in Ashlar, blocks that were put within the grace stay: see the documentation. */
  private void repoGc(Exchange exchange) {
    Collections.Wanted wanted = jobs.collections().wanted(exchange);
    boolean quiet = exchange.flag("silent", false);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          jobs.collections()
              .run(
                  store,
                  wanted,
                  out::isGone,
                  cid -> {
                    if (!quiet) {
                      out.line(new JsonObject().put("Key", Kubo.link(cid)));
                    }
                  },
                  progress -> out.flush(),
                  end -> {});
        });
  }

  /**
   * Re-hashes every block; one that is damaged here is mended from another member as it is read.
   */
  private void repoVerify(Exchange exchange) {
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          BlockStore here = store.reading(ReadConsistency.UNCONFIRMED);
          long read = 0;
          long damaged = 0;
          Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
          while (cursor.isPresent()) {
            BlockPage page = here.list(cursor.get(), PAGE);
            for (BlockPage.Entry entry : page.entries()) {
              try {
                here.get(entry.cid()).ifPresent(b -> Block.verified(entry.cid(), b.bytes()));
              } catch (BlockDamagedException e) {
                damaged++;
                out.line(
                    new JsonObject()
                        .put(
                            "Msg", "block " + entry.cid() + " was corrupt (" + e.getMessage() + ")")
                        .put("Progress", 0));
              }
              read++;
            }
            out.line(new JsonObject().put("Msg", "").put("Progress", read));
            out.flush();
            cursor = page.next();
          }
          if (damaged > 0) {
            throw Kubo.failed("verify complete, " + damaged + " blocks were corrupt");
          }
          out.line(
              new JsonObject()
                  .put("Msg", "verify complete, all blocks validated.")
                  .put("Progress", 0));
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
}
