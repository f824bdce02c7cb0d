using UniFace.Gallery.Postgres;

namespace UniFace.Gallery.Tests.Postgres;

/// <summary>An address is parsed from both forms, and is never shown with its password.</summary>
public sealed class PostgresAddressTests
{
    [Theory]
    [InlineData(
        "postgres://ann:s%40cret@db.local:6000/faces?gallery=people%201&sslmode=verify-full",
        "Host=db.local;Port=6000;Database=faces;Username=ann;Password=s@cret;SSL Mode=VerifyFull;Command Timeout=0",
        "postgres://db.local:6000/faces?gallery=people%201")]
    [InlineData(
        "Host=db.local;Database=faces;Gallery=people;Username=ann;Password=s@cret",
        "Host=db.local;Database=faces;Username=ann;Password=s@cret;Command Timeout=0",
        "postgres://db.local:5432/faces?gallery=people")]
    [InlineData(
        "postgresql:///faces?host=/run/postgresql&gallery=people&user=ann",
        "Host=/run/postgresql;Database=faces;Username=ann;Command Timeout=0",
        "postgres:///faces?host=/run/postgresql&gallery=people")]
    public void Urls_and_connection_strings_are_parsed_and_shown_without_user_and_password(string text, string connection, string shown)
    {
        Assert.True(PostgresAddress.IsAddress(text));
        PostgresAddress address = PostgresAddress.Parse(text);
        Assert.Equal(Settings(connection), Settings(address.ConnectionString));
        Assert.Equal(shown, address.ToString());
        Assert.Equal(address.Gallery, PostgresAddress.Parse(shown).Gallery);

        static IEnumerable<KeyValuePair<string, object?>> Settings(string text) =>
            new Npgsql.NpgsqlConnectionStringBuilder(text).OrderBy(p => p.Key, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("postgres://host/faces?gallery=people", 100)]
    [InlineData("postgres://host/faces?gallery=people&ef_search=400", 400)]
    [InlineData("Host=host;Database=faces;Gallery=people;ef_search=7", 7)]
    public void The_width_of_the_beam_is_part_of_an_address(string text, int width) => Assert.Equal(width, PostgresAddress.Parse(text).EfSearch);

    [Theory]
    [InlineData("people.gallery")]
    [InlineData("a=b.gallery")]
    [InlineData("/data/host=1/people.gallery")]
    public void A_file_path_is_not_an_address(string text) => Assert.False(PostgresAddress.IsAddress(text));

    [Theory]
    [InlineData("postgres://host/faces", "no gallery")]
    [InlineData("postgres://host?gallery=people", "no database")]
    [InlineData("postgres://user:secret@host:many/faces?gallery=people", "cannot be read")]
    [InlineData("Host=host;Database=faces;Gallery=people;Pass=secret", "cannot be read")]
    [InlineData("Host=host;secret;Gallery=people", "cannot be read")]
    [InlineData("postgres://host/faces?gallery=people&ef_search=0", "from 1 to 1000")]
    [InlineData("Host=host;Database=faces;Gallery=people;ef_search=1001", "from 1 to 1000")]
    public void Errors_in_an_address_are_one_line_without_its_password(string text, string problem)
    {
        string message = Assert.Throws<UniFaceException>(() => PostgresAddress.Parse(text)).Message;
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
