package dev.ashlar.raft.vertx;

import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority and what it has signed, made by the JDK's keytool, as PEM files in a directory. */
final class Certificates {

  private static final String PASSWORD = "changeit";

  private final Path directory;
  private final String authority;

  /** An authority of its own. */
  Certificates(Path directory, String authority) throws Exception {
    this.directory = directory;
    this.authority = authority;
    keytool(authority, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + authority, "-ext", "bc:c");
    write(authority + ".pem", "CERTIFICATE", store(authority).getCertificate("key").getEncoded());
  }

  /** The options of a member whose certificate names 127.0.0.1 and is signed by the authority. */
  RaftNodeOptions.Tls member(String name) throws Exception {
    Path request = directory.resolve(name + ".csr");
    Path signed = directory.resolve(name + ".pem");
    keytool(name, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name);
    keytool(name, "-certreq", "-file", request.toString());
    keytool(
        authority,
        "-gencert",
        "-rfc",
        "-ext",
        "san=ip:127.0.0.1",
        "-infile",
        request.toString(),
        "-outfile",
        signed.toString());
    byte[] key = store(name).getKey("key", PASSWORD.toCharArray()).getEncoded();
    Path keyFile = write(name + ".key", "PRIVATE KEY", key);
    return new RaftNodeOptions.Tls(
        new PemKeyCertOptions().addCertPath(signed.toString()).addKeyPath(keyFile.toString()),
        new PemTrustOptions().addCertPath(directory.resolve(authority + ".pem").toString()));
  }

  private void keytool(String store, String command, String... arguments) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    line.addAll(List.of(command, "-alias", "key", "-storetype", "PKCS12", "-storepass", PASSWORD));
    line.addAll(List.of("-keystore", directory.resolve(store + ".p12").toString()));
    line.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("keytool.log").toFile())
            .start();
    if (process.waitFor() != 0) {
      throw new IOException(Files.readString(directory.resolve("keytool.log")));
    }
  }

  private KeyStore store(String name) throws IOException, GeneralSecurityException {
    return KeyStore.getInstance(directory.resolve(name + ".p12").toFile(), PASSWORD.toCharArray());
  }

  private Path write(String file, String kind, byte[] der) throws IOException {
    String body =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der);
    return Files.writeString(
        directory.resolve(file),
        "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
  }
}
