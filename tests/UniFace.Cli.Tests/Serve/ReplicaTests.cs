using System.Collections.Concurrent;
using UniFace.Client;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Serve;

/// <summary>If one of two services on one PostgreSQL gallery is killed under load, no acknowledged enrollment is lost.</summary>
public sealed class ReplicaTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-replicas-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Killing_a_replica_under_load_loses_no_acknowledged_write()
    {
        string gallery = server.Url("replicas"), package = TestPackage.Write(Path.Combine(folder, "package"));
        CliProcess.Run("gallery", "create", gallery, package).Expect(0);
        using CliService first = await ServeAsync(gallery, package, "a"), second = await ServeAsync(gallery, package, "b");
        UniFaceClient client = UniFaceClient.Connect([first.Address, second.Address], patience: TimeSpan.FromMinutes(10));
        ConcurrentBag<string> acknowledged = [];
        using CancellationTokenSource enough = new();
        int identified = 0;
        Task[] load =
        [
            .. Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
            {
                for (int i = 0; !enough.IsCancellationRequested; i++)
                {
                    string person = $"p{worker}-{i}";
                    await client.EnrollAsync(new EnrollRequest { Person = person, Photos = [Face((worker * 100_000) + i)], Aligned = true, AnyQuality = true });
                    acknowledged.Add(person);
                }
            })),
            .. Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
            {
                for (int i = 0; !enough.IsCancellationRequested; i++)
                {
                    await client.IdentifyAsync(new IdentifyRequest { Photo = Face((worker * 100_000) + i), Aligned = true });
                    Interlocked.Increment(ref identified);
                }
            })),
        ];
        await UntilAsync(load, () => acknowledged.Count >= 40);
        first.Process.Kill();
        int before = acknowledged.Count, identifiedBefore = identified;
        await UntilAsync(load, () => acknowledged.Count >= before + 40 && identified >= identifiedBefore + 40);
        await enough.CancelAsync();
        await Task.WhenAll(load); // Throws if a request failed in spite of its retries.

        UniFaceClient left = UniFaceClient.Connect(second.Address);
        HashSet<string> enrolled = [];
        for (int offset = 0; await left.ListPeopleAsync(offset, 1000) is { People.Count: > 0 } page; offset += page.People.Count)
        {
            enrolled.UnionWith(page.People.Select(p => p.Person));
        }

        Assert.Empty(acknowledged.Except(enrolled));
        second.Process.Kill();
        Assert.True(CliProcess.Run("gallery", "verify-integrity", gallery, "--json").Expect(0).Json().GetProperty("whole").GetBoolean());
    }

    // Waits for the condition, or for a failed worker.
    private static async Task UntilAsync(Task[] load, Func<bool> done)
    {
        while (!done())
        {
            await Task.WhenAny([.. load, Task.Delay(50)]);
            if (load.FirstOrDefault(t => t.IsFaulted) is Task failed)
            {
                await failed;
            }
        }
    }

    private static byte[] Face(int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        return ImageEncoder.Png(image);
    }

    private Task<CliService> ServeAsync(string gallery, string package, string name) =>
        CliProcess.ServeAsync(folder, "--package", package, "--gallery", gallery, "--data", Path.Combine(folder, name));
}
