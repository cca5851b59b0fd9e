package dev.ashlar.store.lmdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example for embedders compiles against the libraries and runs in a JVM without any flag. */
class EmbeddingExampleTest {

  @TempDir Path directory;

  @Test
  void theExampleRunsWithoutAnyFlag() throws IOException {
    Path source = Path.of("..", "examples", "embedding", "src", "main", "java", "example");
    String libraries = System.getProperty("java.class.path");

    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-cp",
                libraries,
                "-d",
                directory.resolve("classes").toString(),
                source.resolve("Embedding.java").toString());
    Process example =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                directory.resolve("classes") + System.getProperty("path.separator") + libraries,
                "example.Embedding",
                directory.resolve("blocks").toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String output = new String(example.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(compiled).isZero();
    assertThat(example.onExit().join().exitValue()).isZero();
    assertThat(output.lines())
        .startsWith(
            "put bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq new=true",
            "got hello",
            "absent true",
            "length 5")
        .endsWith("deleted true", "blocks 2");
  }
}
