# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Methods of a real server that the simulator lacks, for /about, from the lists in docs/sources/eao.md."""

from __future__ import annotations


def _names(text: str) -> list[str]:
    return text.split()


CLUSTER = _names("""
activateNodes addBucketFS addDatabase addJDBCDriver addKeyStore addLogService addNode addNodesFromXML
addPublicNetwork addRemoteVolume addRoute addSrvMgmtGroup addUser addVLAN callPlugin clusterDesc deleteLogs
deleteSubObject deleteUserById deleteUserByLogin editMonitorThresholds editNodeClusterDefaults
editNodeClusterNetwork editRemoteSyslogSettings editUser getAllArchiveVolumes getAllDatabaseNames getAllDatabases
getAllJDBCDrivers getAllKeyStores getAllLogServices getAllPublicNetworks getAllRoutes getAllSrvMgmtCardGroups
getAllUserLogins getAllUsers getAllUsersById getAllUsersByLogin getAllVLANs getAvailableUpdatesList
getClusterNodesAsXMLBase64 getCoredumpDeletionTime getCurrentLicenseServer getDatabaseList getDomainName
getEXACOSVersion getEXASolutionVersions getEXASuiteVersion getEXAoperationMaster getEXAoperationNodes
getFirewallConfiguration getHardwareInformation getInstallationHistory getInstalledJDBCDrivers getKeyStoreByName
getKeyStoreByObjName getLegalInfo getLicenseFeatures getLicenseLimits getLicenseProperties getListValues
getLoginRole getMonitoringThresholdValues getNTPServiceState getNodeList getNodeState getObsoleteEXASuiteVersions
getPath getPlugins getPossibleEXAoperationNodes getProperties getPublicNetwork getPublicNetworkDescription
getRolesForObject getServiceState getServiceStates getSoftware getSqlLogDeletionTime getSrvMgmtGroup
getSrvMgmtGroupDescription getUpdateURL getUploadPackageState getUserById getUserByName getVLAN getVLANDescription
grantRole haltLicenseServer havePlugins licenseUpdate listMethods listObjects methodHelp methodSignature
needEXAoperationRestart numberOfAvailableNodes objectRepresentation reinitEXAoperationPriorities removeDatabase
removeObsoleteEXASuite removePlugin restartEXAoperation restartLicenseServer saveBucketFSChanges setClusterTime
setDefaultRole setDiskPassword setKeyStore setPriorities showPluginFunctions showPluginList shutdownNode startupNode
submitFirewallConfiguration synchronizeNTP uploadSoftware uploadTlsFiles
""")

STORAGE = _names("""
addStorageVolume checkNodeDiskInformation deleteMetadata editStorage getArchiveFilesystems getListValues getPath
getProperties getStorageInfo getVolumeInfo getVolumeList listMethods listObjects methodHelp methodSignature
nodesInformation nodesListInformation objectRepresentation serviceHasAutoRestartFlag serviceIsOnline
setAutoRestartFlag startEXAStorage stopEXAStorage storageHasQuorum volumeRemove
""")

DATABASE = _names("""
abortBackup abortShrink backupDatabase backupInfo changeBackupExpiration createDatabase deleteBackups
deleteUnusableBackups editDatabase enlargeDatabase existDatabase existsKeyTab forceShutdownDatabase getBackupInfo
getBackupList getBackupSchedule getBackups getCurrentDatabaseSize getCurrentErrors getDatabaseConnectionState
getDatabaseConnectionString getDatabaseInfo getDatabaseNodes getDatabaseOperation getDatabaseState
getDatabaseStatistics getDatabaseVersion getListValues getNextSchedules getNodeState getPath getPddProgress
getProperties listMethods listObjects maintenanceDatabase methodHelp methodSignature objectRepresentation
operationGetCurrent removeKeyTab restartDatabase restoreDatabase runningDatabase setBackupSchedule shrinkDatabase
shutdownDatabase startDatabase startDatabaseMaintenance startStorageBackup stateDatabase stopDatabase uploadKeyTab
""")

NODE = _names("""
addNodeDisk addStorageDisk applyDefaultDiskLayout copyNode deleteDisks deleteSubObject editNode fixChecksums
getAllDisks getBondingActiveSlaves getDeviceInfo getDiskInfo getDiskStates getIPMISensorStatus getListValues
getNodeInfo getNodeState getPath getProperties getSrvMgmtSensorStatus listMethods listObjects methodHelp
methodSignature nodeRunning objectRepresentation operationGetCurrent poweroffNode rebootNode resetNode setActiveMode
setForceFSCKMode setForceNoFSCKMode setInstallMode setWipeMode shutdownNode startClusterServices startupNode
stopClusterServices toggleIdLed
""")

LOGSERVICE = _names("""
editLogService getListValues getPath getProperties listMethods listObjects logEntries logEntriesTagged methodHelp
methodSignature objectRepresentation
""")

_GENERIC = _names(
    "getListValues getPath getProperties listMethods listObjects methodHelp methodSignature objectRepresentation"
)

STORAGE_VOLUME = _GENERIC + _names("""
checkPermissions editStorageVolume formatFilesystem getFilesList getPermissions moveNodes removeFile resizeVolume
setFileExpiration setIoState
""")

STORAGE_VOLUME_NODE = _GENERIC + _names("getAllSegments getSegmentsDescriptions moveNode recoverNode stopRecoverNode")

STORAGE_NODE = _GENERIC + _names("""
addUnusedDevices changeable clearDeviceErrors disableBgRecovery disableDevices enableBgRecovery enableDevices
enlargeDevices forceBgRecoveryLimitCalibration getAllDevices getUnusedDevices nodeIsSuspended removeDevices restartNode
resumeNode setBgRecoveryLimit setSpaceWarnThreshold suspendNode
""")

REMOTE_VOLUME = _GENERIC + _names("editRemoteVolume getVolumeId state")

OBJECTS = {
    "cluster": CLUSTER,
    "storage": STORAGE,
    "storage_volume": STORAGE_VOLUME,
    "storage_volume_node": STORAGE_VOLUME_NODE,
    "storage_node": STORAGE_NODE,
    "remote_volume": REMOTE_VOLUME,
    "database": DATABASE,
    "node": NODE,
    "logservice": LOGSERVICE,
}
