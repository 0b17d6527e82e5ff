<?php

$header = fn (string $name) => $_SERVER["HTTP_X_CLASSLINK_$name"] ?? null;

header('Content-Type: application/json');
echo json_encode([
    'id' => rawurldecode($header('USER')),
    'role' => $header('ROLE'),
    'tenant' => $header('TENANT') === null ? null : rawurldecode($header('TENANT')),
], JSON_UNESCAPED_SLASHES);
