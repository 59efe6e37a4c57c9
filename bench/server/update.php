<?php
/*
 * The update script from the core's documentation, as a reference for the benchmark. It accepts only ESP8266 updaters that send all headers
 * and whose MAC address is in the table, and then compares versions. Unlike the original, it matches header names in any case.
 */
$said = array_change_key_case(getallheaders(), CASE_LOWER);

function refuse(int $status, string $text): never
{
    http_response_code($status);
    header('Content-Type: text/plain; charset=utf-8');
    echo $text, "\n";
    exit;
}

if (($said['user-agent'] ?? '') !== 'ESP8266-http-Update') {
    refuse(403, 'only for ESP8266 updaters');
}
$wanted = ['mode', 'sta-mac', 'ap-mac', 'free-space', 'sketch-size', 'sketch-md5', 'chip-size', 'sdk-version'];
foreach ($wanted as $name) {
    if (!isset($said["x-esp8266-$name"])) {
        refuse(403, 'only for ESP8266 updaters: a header is missing');
    }
}

/* The table is a JSON file, or a table of a PostgreSQL database to which each PHP process keeps its connection. */
function deviceOf(string $mac): ?array
{
    $database = $_SERVER['DEVICE_DATABASE'] ?? '';
    if ($database === '') {
        return json_decode(file_get_contents(__DIR__ . '/devices.json'), true)[$mac] ?? null;
    }
    $rows = pg_query_params(pg_pconnect($database), 'SELECT file, version FROM devices WHERE mac = $1', [$mac]);
    return pg_fetch_assoc($rows) ?: null;
}

$device = deviceOf($said['x-esp8266-sta-mac']) ?? refuse(404, 'this MAC is not in the table');
$file = __DIR__ . '/' . $device['file'];
if (!is_readable($file)) {
    refuse(404, 'the file is not there');
}

if ($said['x-esp8266-mode'] === 'version') {
    header('x-MD5: ' . md5_file($file));
    header('x-version: ' . $device['version']);
    exit;
}
if ($said['x-esp8266-mode'] !== 'sketch') {
    refuse(404, 'this mode is not supported');
}
if (!isset($said['x-esp8266-version']) || $said['x-esp8266-version'] === $device['version']) {
    http_response_code(304);
    exit;
}
header('Content-Type: application/octet-stream');
header('Content-Disposition: attachment; filename=' . basename($file));
header('Content-Length: ' . filesize($file));
header('x-MD5: ' . md5_file($file));
header('x-version: ' . $device['version']);
readfile($file);
