package dev.ashlar.server;

import dev.ashlar.block.engine.EngineStatus;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.replication.Replica;
import dev.ashlar.server.client.ClusterClient;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

@Command(
    name = "cluster",
    description = {
      "Show a cluster and change it, through any of its members.",
      "A change is carried out by the leader: 'status' shows how far it is."
    })
final class ClusterCommand {

  @Option(
      names = "--server",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      defaultValue = "http://127.0.0.1:8420",
      description = "the server to talk to (default: ${DEFAULT-VALUE})")
  private URI server = URI.create("http://127.0.0.1:8420");

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "a file with the bearer token to send, in its first line")
  private @Nullable Path tokenFile;

  @Option(names = "--json", scope = ScopeType.INHERIT, description = "print JSON")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Command(name = "status", description = "Print members, roles, terms, indexes and lag.")
  int status() throws IOException {
    JsonObject status = client().status();
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? status.encode() : table(status));
    out.flush();
    return 0;
  }

  @Command(
      name = "add",
      description = {
        "Add the member that is reached at an address, which was started with --join.",
        "It becomes a learner, and votes once it has caught up."
      })
  int add(
      @Parameters(paramLabel = "HOST:PORT", description = "the new member's peer address")
          String address,
      @Option(names = "--learner", description = "it never votes") boolean learner)
      throws IOException {
    client().add(address, learner);
    return 0;
  }

  @Command(name = "remove", description = "Remove a member.")
  int remove(@Parameters(paramLabel = "MEMBER", description = "its id, or address") String member)
      throws IOException {
    client().remove(member);
    return 0;
  }

  @Command(name = "transfer", description = "Hand leadership over to a member.")
  int transfer(@Parameters(paramLabel = "MEMBER", description = "its id, or address") String member)
      throws IOException {
    client().transfer(member);
    return 0;
  }

  @Command(
      name = "recover",
      description = {
        "Make a stopped member the only one of a new cluster, when most voters are lost for good.",
        "Everything that its log has stays. What the lost members had acknowledged and this one"
            + " never received is gone. The others must never be started with their old data"
            + " again: give them empty directories and --join. Without --yes it only says what it"
            + " would do."
      })
  int recover(
      @Option(
              names = "--data",
              paramLabel = "DIR",
              required = true,
              description = "the member's directory")
          Path data,
      @Option(
              names = "--advertise",
              paramLabel = "HOST:PORT",
              description = "where it is reached from now on (default: as before)")
          @Nullable String advertise,
      @Option(names = "--yes", description = "do it") boolean yes)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (advertise != null) {
      var unusedAddress = ServeOptions.address(advertise);
    }
    try (LmdbBlockStore store = ConnectOptions.openDirectory(data, LmdbOptions.DEFAULT)) {
      StorageEngine engine = store.engine();
      Replica replica = new Replica(engine);
      replica.requireSound();
      Membership found = replica.membership();
      MemberId self = new MemberId(engine.member().orElseThrow());
      out.println("member   " + self);
      out.println("cluster  " + engine.cluster().map(UUID::toString).orElse("none"));
      out.println("voters   " + found.addresses());
      EngineStatus status = engine.status();
      out.println(
          "log      up to entry "
              + status.last().index()
              + " of term "
              + status.last().term()
              + ", in effect up to "
              + status.applied());
      out.println(
          "Compare the logs of all members that are left and recover the one with the highest term,"
              + " and among those the highest entry. Whatever was acknowledged after its last entry"
              + " is lost.");
      if (engine.isInstalling()) {
        out.println("It is being caught up: most of what the cluster had is not here.");
      }
      if (Replacement.isUnderWay(data)) {
        throw new IOException(
            "this member is being replaced: what it had is in a directory damaged-* within "
                + data
                + ", and what is here now has not been caught up");
      }
      if (!yes) {
        out.println("Nothing is changed: say --yes to make it the only member of a new cluster.");
        out.flush();
        return Main.EXIT_FAILED;
      }
      String address = advertise == null ? found.address(self).orElse("127.0.0.1:8421") : advertise;
      UUID cluster = UUID.randomUUID();
      Replacement.forget(data);
      replica.recover(cluster, address);
      out.println("It is the only member of cluster " + cluster + " now, at " + address + ".");
      out.flush();
    }
    return 0;
  }

  static String table(JsonObject status) {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            "cluster %s  term %d  leader %s%n",
            status.getString("cluster"),
            status.getLong("term"),
            Optional.ofNullable(status.getString("leaderAddress")).orElse("none")));
    out.append(
        String.format(
            "this member: %s  commit %d  applied %d  log %d..%d%s%n",
            status.getString("role"),
            status.getLong("commitIndex"),
            status.getLong("appliedIndex"),
            status.getLong("baseIndex") + 1,
            status.getLong("lastIndex"),
            status.getBoolean("changing") ? "  a change is under way" : ""));
    out.append(
        String.format(
            "%n%-38s%-24s%-14s%-16s%12s%12s%14s%12s",
            "member", "address", "kind", "version", "applied", "lag", "bytes", "silent"));
    JsonArray members = status.getJsonArray("members");
    for (int i = 0; i < members.size(); i++) {
      JsonObject member = members.getJsonObject(i);
      boolean seen = member.containsKey("lagEntries");
      boolean answers = member.getBoolean("answers");
      out.append(
          String.format(
              "%n%-38s%-24s%-14s%-16s%12s%12s%14s%12s",
              member.getString("id"),
              member.getString("address"),
              member.getBoolean("leader") ? "leader" : member.getString("kind"),
              answers ? member.getString("version") : "no answer",
              answers ? member.getLong("appliedIndex") : "",
              seen ? member.getLong("lagEntries") : "",
              seen ? member.getLong("lagBytes") : "",
              seen ? member.getLong("silentMillis") + " ms" : ""));
    }
    return out.toString();
  }

  private ClusterClient client() throws IOException {
    return new ClusterClient(server, ConnectOptions.token(tokenFile));
  }
}
