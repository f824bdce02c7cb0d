using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Recognition;
using UniFace.Gallery;

namespace UniFace.AspNetCore.Tests.Recognition;

/// <summary>An erasure that a reader blocks is reported and recorded, and a repeat finishes it.</summary>
public sealed class DeletionTests
{
    [Fact]
    public async Task A_repeat_finishes_an_erasure_that_a_reader_blocked()
    {
        // The request timeout of 1 ms does not apply to an erasure.
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequestTimeout = TimeSpan.FromMilliseconds(1) });
        Recognizer recognizer = server.Services.GetRequiredService<RecognizerSlot>().Loaded!;
        float[] embedding = new float[recognizer.Gallery.Info.EmbeddingSize];
        embedding[0] = 1;
        await recognizer.Gallery.EnrollAsync([new Enrollment("Ann-Ann-Ann", embedding), new Enrollment("Bob", embedding)], recognizer.Model.ContractId);
        string path = recognizer.Gallery.Path;
        await using (SqliteConnection other = new($"Data Source={path};Pooling=False"))
        {
            other.Open();
            using SqliteTransaction reading = other.BeginTransaction(deferred: true);
            using (SqliteCommand command = new("SELECT count(*) FROM template", other, reading))
            {
                command.ExecuteScalar();
            }

            JsonElement problem = await RunningServer.ReadAsync(await server.Client.DeleteAsync("/v1/people/Ann-Ann-Ann"), HttpStatusCode.ServiceUnavailable);
            Assert.Contains("the person is removed", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
            problem = await RunningServer.ReadAsync(await server.Client.DeleteAsync("/v1/people/Ann-Ann-Ann"), HttpStatusCode.ServiceUnavailable);
            Assert.Contains("nobody of this name is enrolled, but", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Contains("not erased", Assert.Single(await recognizer.Gallery.VerifyIntegrityAsync()), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/v1/people/Ann-Ann-Ann")).StatusCode);
        Assert.Empty(await recognizer.Gallery.VerifyIntegrityAsync());
        Assert.All([path, path + "-wal"], file => Assert.DoesNotContain("Ann-Ann", Latin(file), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/v1/people/Bob")).StatusCode);
        Assert.Equal(
            ["delete 202", "delete 503", "delete 202", "delete 503", "delete 202", "delete 404", "delete 202", "delete 204"],
            Latin(Path.Combine(server.Folder, "data", "audit.jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => JsonDocument.Parse(l).RootElement).Select(l => $"{l.GetProperty("what")} {l.GetProperty("status")}"));
    }

    private static string Latin(string file)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using StreamReader reader = new(stream, Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
