using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Recognition;

namespace UniFace.AspNetCore.Tests.Recognition;

/// <summary>People whose newest photo is older than the retention period are removed, and nobody else.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task People_older_than_the_retention_period_are_removed_and_others_stay()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RetentionDays = 30 });
        await server.EnrollAsync("Ann", 1);
        Retention retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(29)));
        Assert.Equal(0, await retention.RunOnceAsync(default));
        retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(31)));
        Assert.Equal(1, await retention.RunOnceAsync(default));
        Assert.Equal(0, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Retention_spares_people_enrolled_again_and_continues_after_a_failure()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RetentionDays = 30 });
        string[] people = ["Ann", "Bob", "Carl", "Dan"];
        foreach (string person in people)
        {
            await server.EnrollAsync(person, 1);
        }

        // Ann cannot be removed; when Bob is removed, Carl is enrolled again.
        string gallery = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery.Path;
        await using (SqliteConnection other = new($"Data Source={gallery};Pooling=False"))
        {
            other.Open();
            using SqliteCommand triggers = new(
                """
                CREATE TRIGGER stuck BEFORE DELETE ON person WHEN old.id = 1 BEGIN SELECT RAISE(ABORT, 'stuck'); END;
                CREATE TRIGGER again AFTER DELETE ON person WHEN old.id = 2 BEGIN UPDATE template SET enrolled = 99999999999 WHERE person = 3; END;
                """,
                other);
            triggers.ExecuteNonQuery();
        }

        Retention retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(31)));
        Assert.Equal(2, await retention.RunOnceAsync(default));
        Assert.Equal(
            ["Ann", "Carl"],
            (await server.GetAsync("/v1/people")).GetProperty("people").EnumerateArray().Select(p => p.GetProperty("person").GetString()!));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(36_501)]
    [InlineData(int.MaxValue)]
    public async Task A_retention_out_of_range_is_refused_in_one_line(int days) =>
        Assert.Contains(
            "expected 1 to 36500",
            (await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { RetentionDays = days }))).Message,
            StringComparison.Ordinal);

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + by;
    }
}
